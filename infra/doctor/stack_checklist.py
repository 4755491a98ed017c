"""The checks of a stack as data, in the order in which they run, and how they are run."""

from collections.abc import Callable, Iterator

from botocore.exceptions import BotoCoreError, ClientError

from infra.doctor.account import Account, MissingError, NotAllowedError
from infra.doctor.check import Check, CheckResult, run_in_order
from infra.doctor.findings import Finding, fails, skipped
from infra.doctor.stack_checks import alarms, bedrock, credentials, deployment, functions

STACK_CHECKS: tuple[Check[Account], ...] = (
    Check("stack", "The last deployment succeeded", deployment.check_status),
    Check("config", "The local gateway.toml is deployed", deployment.check_config),
    Check("concurrency", "The account's Lambda quota suffices", functions.check_concurrency),
    Check("reserved", "No function is switched off", functions.check_reserved),
    Check("recursion", "Lambda lets settle poll to the end", functions.check_recursion),
    Check(
        "event-sources",
        "The queue and the stream invoke their functions",
        functions.check_event_sources,
    ),
    Check("secrets", "Each target has its credential", credentials.check_secrets),
    Check("webhooks", "Webhooks have the secret that signs them", credentials.check_webhooks),
    Check("bedrock", "The functions may call the targets of Bedrock", bedrock.check_bedrock),
    Check("dead-letters", "No work has failed for good", alarms.check_dead_letters),
    Check("subscription", "Somebody receives the alarms", alarms.check_subscription),
    Check("alarms", "No alarm is active", alarms.check_alarms),
)


def run_stack_checks(account: Account, on_start: Callable[[str], None]) -> Iterator[CheckResult]:
    return run_in_order(STACK_CHECKS, lambda check: _run_check(check, account), on_start)


def _run_check(check: Check[Account], account: Account) -> Finding:
    try:
        return check.run(account)
    except NotAllowedError as exc:
        advice = (
            f"Have {exc.action} allowed in your IAM policy; docs/operator-policy.json has what "
            "the commands need."
        )
        return skipped(f"your AWS credentials do not allow {exc.action}", advice)
    except MissingError as exc:
        return fails(str(exc), "It was deleted by hand: look for it in the stack's resources.")
    except (BotoCoreError, ClientError) as exc:
        return fails(f"no answer of AWS: {exc}", "Run this again; check your network and --region.")
