"""The checks of the secrets. They read no value: what a secret's versions tell is enough."""

from collections.abc import Mapping
from typing import Any

from antiphon.settings.targets import WEBHOOK_SUFFIX
from infra.doctor.account import Account, MissingError
from infra.doctor.findings import Finding, fails, ok
from infra.operator.stack import StackResource

CURRENT, PREVIOUS = "AWSCURRENT", "AWSPREVIOUS"
PUT = (
    "Nobody has stored the provider's key. The command asks for it; the functions use it within "
    "300 seconds."
)
PUT_SIGNING = "Webhooks cannot be signed. The command stores a random value."


def check_secrets(account: Account) -> Finding:
    """Check that each secret has had its placeholder replaced.

    The stack creates the first version with the placeholder. A value that somebody puts becomes
    AWSCURRENT and the version before it AWSPREVIOUS.
    """
    found = [each for each in _find_secrets(account) if _is_of_target(account, each)]
    findings = [_check_secret(account, each.id) for each in found]
    wrong = [each for each in findings if each.verdict == "fails"]
    if not wrong:
        return ok(f"{len(found)} secrets have had a value put into them")
    return fails(
        "; ".join(each.seen for each in wrong),
        wrong[0].advice,
        *(command for each in wrong for command in each.commands),
    )


def check_webhooks(account: Account) -> Finding:
    """Check that the secret from which signing secrets are derived exists and has a value.

    CloudFormation generates its value, so that it needs no other one and is never a placeholder.
    """
    found = [each for each in _find_secrets(account) if not _is_of_target(account, each)]
    findings = [_check_generated(account, each.id) for each in found]
    wrong = next((each for each in findings if each.verdict == "fails"), None)
    if wrong is not None:
        return wrong
    return ok(", ".join(each.seen for each in findings) or "gateway.toml has no [webhooks]")


def _find_secrets(account: Account) -> list[StackResource]:
    return account.find("SecretsManager::Secret")


def _is_of_target(account: Account, secret: StackResource) -> bool:
    """Whether it is one that operators put a value into; the stack has an output for each."""
    return secret.id in account.stack.secrets.values()


def _check_secret(account: Account, id: str) -> Finding:
    advice = "It was deleted for good. Remove its target from gateway.toml and deploy, then add it."
    secret = _describe(account, id)
    found = _check_exists(account, id, secret, advice)
    if secret is not None and found.verdict == "ok" and not _is_replaced(secret):
        put = _put(account, secret["ARN"])
        return fails(f"{found.seen}: still the stack's placeholder", PUT, put)
    return found


def _check_generated(account: Account, id: str) -> Finding:
    advice = (
        "It was deleted for good, and webhooks are not sent. Remove [webhooks] from gateway.toml "
        "and deploy, then add it: all signing secrets change, so tenants must rotate theirs."
    )
    secret = _describe(account, id)
    found = _check_exists(account, id, secret, advice)
    if secret is not None and found.verdict == "ok" and CURRENT not in _stages(secret):
        return fails(f"{found.seen}: it has no value", PUT_SIGNING, _put_signing(account, id))
    return found


def _describe(account: Account, id: str) -> Mapping[str, Any] | None:
    try:
        found: Mapping[str, Any] = account.call("secretsmanager", "describe_secret", SecretId=id)
    except MissingError:
        return None
    return found


def _check_exists(
    account: Account, id: str, secret: Mapping[str, Any] | None, advice: str
) -> Finding:
    if secret is None:
        return fails(f"{id} does not exist", advice)
    title, arn = secret.get("Description") or secret["Name"], secret["ARN"]
    if "DeletedDate" in secret:
        restore = account.stack.command(f"secretsmanager restore-secret --secret-id {arn}")
        return fails(f"{title}: scheduled for deletion", "Restore it.", restore)
    return ok(title)


def _put(account: Account, arn: str) -> str:
    name = next((name for name, id in account.stack.secrets.items() if id == arn), "TARGET")
    target = name.removesuffix(WEBHOOK_SUFFIX)
    option = "" if target == name else " --webhook"
    return account.stack.own_command(f"secrets put {target}{option}")


def _put_signing(account: Account, id: str) -> str:
    value = '"$(openssl rand -hex 32)"'
    return account.stack.command(
        f"secretsmanager put-secret-value --secret-id {id} --secret-string {value}"
    )


def _is_replaced(secret: Mapping[str, Any]) -> bool:
    return _stages(secret) >= {CURRENT, PREVIOUS}


def _stages(secret: Mapping[str, Any]) -> set[str]:
    return {stage for each in secret.get("VersionIdsToStages", {}).values() for stage in each}
