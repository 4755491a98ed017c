"""Checks of the deployment itself: its last end, and the settings that it was made with."""

from antiphon.settings.config import ConfigError, load_config
from infra.doctor.account import Account
from infra.doctor.findings import Finding, fails, ok, skipped
from infra.fingerprint import OUTPUT, fingerprint

COMPLETE = {"CREATE_COMPLETE", "UPDATE_COMPLETE", "IMPORT_COMPLETE"}


def check_status(account: Account) -> Finding:
    stack = account.stack
    if stack.status in COMPLETE:
        return ok(stack.status)
    if stack.status.endswith("IN_PROGRESS"):
        return skipped(stack.status, "Wait until the deployment has ended, then run this again.")
    advice = "The last deployment failed: look for the first reason, remove it, and deploy again."
    events = (
        f"cloudformation describe-stack-events --stack-name {stack.name} "
        "--query \"StackEvents[?contains(ResourceStatus,'FAILED')].ResourceStatusReason\""
    )
    return fails(stack.status, advice, stack.command(events))


def check_config(account: Account) -> Finding:
    """Compare the local gateway.toml with the one that was deployed."""
    deployed = account.stack.outputs.get(OUTPUT)
    if deployed is None:
        return fails(f"the stack has no output {OUTPUT}", "Deploy again.", "make deploy")
    if not account.config.exists():
        return skipped(f"there is no {account.config}", "Name the file with --config.")
    try:
        local = fingerprint(load_config(account.config))
    except ConfigError as exc:
        return fails(str(exc), "Correct the file: it cannot be deployed as it is.")
    if local == deployed:
        return ok(f"{account.config.name} is what is deployed ({local})")
    advice = (
        f"Another {account.config.name} is deployed than the one here. Deploy yours, or get the "
        "one that was deployed: the functions' asset contains it."
    )
    return fails(f"deployed {deployed}, here {local}", advice, "make deploy")
