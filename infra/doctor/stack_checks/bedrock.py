"""The check of targets of Amazon Bedrock: the Region has the endpoint, and the role may call it.

It calls no model: the check `bedrock` of a base URL does that, as the gateway's callers do.
"""

import socket
from collections.abc import Iterator
from urllib.parse import urlsplit

from antiphon.settings.config import ConfigError, load_config
from antiphon.settings.targets import BedrockTarget
from infra.constructs.bedrock_permissions import BedrockPermissions, Permission
from infra.doctor.account import Account
from infra.doctor.checks.bedrock import REGIONS
from infra.doctor.findings import Finding, fails, ok, skipped

ALLOWED = "allowed"


def check_bedrock(account: Account) -> Finding:
    """Check each target of the local gateway.toml that is one of Bedrock."""
    try:
        targets = load_config(account.config).targets
    except ConfigError:
        return skipped(f"{account.config} cannot be read", "See the check of gateway.toml.")
    found = {name: t for name, t in targets.items() if isinstance(t, BedrockTarget)}
    if not found:
        return ok("gateway.toml has no target of Bedrock")
    role = _read_role(account)
    for name, target in found.items():
        wrong = _check_endpoint(name, target) or _check_permissions(account, name, target, role)
        if wrong is not None:
            return wrong
    return ok(f"{', '.join(found)}: the endpoint exists, and the role of api may call it")


def _read_role(account: Account) -> str:
    """Return the ARN of the role of the function that creates responses."""
    name = next(name for file, name in account.functions() if file == "api")
    settings = account.call("lambda", "get_function_configuration", FunctionName=name)
    return str(settings["Role"])


def _check_endpoint(name: str, target: BedrockTarget) -> Finding | None:
    host = urlsplit(target.address).hostname
    try:
        socket.getaddrinfo(host, None)
    except OSError as exc:
        advice = (
            f"Bedrock has no such endpoint in {target.region}, or your network does not know it. "
            f"Correct region, endpoint or base_url of [targets.{name}]: {REGIONS}"
        )
        return fails(f"{name}: the host {host} is not known ({exc})", advice)
    return None


def _check_permissions(
    account: Account, name: str, target: BedrockTarget, role: str
) -> Finding | None:
    denied = next(_list_denied(account, target, role), None)
    if denied is None:
        return None
    advice = (
        f"Calls of [targets.{name}] are refused with 403. Deploy the gateway.toml that names its "
        "models. If that is done, a policy of your organization or a permissions boundary denies "
        "it: have it allowed."
    )
    return fails(f"{name}: the role of api may not do {denied}", advice, "make deploy")


def _list_denied(account: Account, target: BedrockTarget, role: str) -> Iterator[str]:
    # arn:PARTITION:iam::ACCOUNT:role/NAME
    _, partition, _, _, id, _ = role.split(":", 5)
    needed = BedrockPermissions(target, partition, id)
    for each in (*needed.of_create(), *needed.of_stored(target.serves)):
        yield from _simulate(account, each, role)


def _simulate(account: Account, permission: Permission, role: str) -> Iterator[str]:
    """Yield what IAM would deny; nothing is called.

    https://docs.aws.amazon.com/IAM/latest/APIReference/API_SimulatePrincipalPolicy.html
    """
    context = []
    if permission.condition is not None:
        _, key, value = permission.condition
        entry = {"ContextKeyName": key, "ContextKeyType": "string", "ContextKeyValues": [value]}
        context.append(entry)
    found = account.call(
        "iam",
        "simulate_principal_policy",
        PolicySourceArn=role,
        ActionNames=[*permission.actions],
        ResourceArns=[permission.resource],
        ContextEntries=context,
    )
    for each in found["EvaluationResults"]:
        if each["EvalDecision"] != ALLOWED:
            yield f"{each['EvalActionName']} on {permission.resource} ({each['EvalDecision']})"
