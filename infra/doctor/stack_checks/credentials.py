"""The check of the targets' secrets. It reads no value: what a secret's versions tell is enough."""

from collections.abc import Mapping
from typing import Any

from antiphon.settings.targets import WEBHOOK_SUFFIX
from infra.doctor.account import Account, MissingError
from infra.doctor.findings import Finding, fails, ok

CURRENT, PREVIOUS = "AWSCURRENT", "AWSPREVIOUS"
PUT = (
    "Nobody has stored the provider's key. The command asks for it; the functions use it within "
    "300 seconds."
)


def check_secrets(account: Account) -> Finding:
    """Check that each secret has had its placeholder replaced.

    The stack creates the first version with the placeholder. A value that somebody puts becomes
    AWSCURRENT and the version before it AWSPREVIOUS.
    """
    found = account.find("SecretsManager::Secret")
    findings = [_check_secret(account, each.id) for each in found]
    wrong = [each for each in findings if each.verdict == "fails"]
    if not wrong:
        return ok(f"{len(found)} secrets have had a value put into them")
    return fails(
        "; ".join(each.seen for each in wrong),
        wrong[0].advice,
        *(command for each in wrong for command in each.commands),
    )


def _check_secret(account: Account, id: str) -> Finding:
    try:
        secret = account.call("secretsmanager", "describe_secret", SecretId=id)
    except MissingError:
        advice = (
            "It was deleted for good. Remove its target from gateway.toml and deploy, then add it."
        )
        return fails(f"{id} does not exist", advice)
    title, arn = secret.get("Description") or secret["Name"], secret["ARN"]
    if "DeletedDate" in secret:
        restore = account.stack.command(f"secretsmanager restore-secret --secret-id {arn}")
        return fails(f"{title}: scheduled for deletion", "Restore it.", restore)
    if not _is_replaced(secret):
        return fails(f"{title}: still the stack's placeholder", PUT, _put(account, arn))
    return ok(title)


def _put(account: Account, arn: str) -> str:
    name = next((name for name, id in account.stack.secrets.items() if id == arn), "TARGET")
    target = name.removesuffix(WEBHOOK_SUFFIX)
    option = "" if target == name else " --webhook"
    return account.stack.own_command(f"secrets put {target}{option}")


def _is_replaced(secret: Mapping[str, Any]) -> bool:
    stages = {stage for each in secret.get("VersionIdsToStages", {}).values() for stage in each}
    return stages >= {CURRENT, PREVIOUS}
