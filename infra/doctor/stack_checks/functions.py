"""Checks of the functions: how many may run at once, what invokes them, and their loops."""

from collections.abc import Iterator, Mapping
from typing import Any

from infra.constructs.function_specs import FUNCTION_SPECS
from infra.doctor.account import Account, MissingError
from infra.doctor.findings import Finding, fails, ok

MIN_CONCURRENCY, WANTED_CONCURRENCY = 100, 1000
QUOTA = "--service-code lambda --quota-code L-B99A9384"  # concurrent executions
CHANGING = {"Creating", "Enabling", "Updating"}
SOURCES = [spec.name for spec in FUNCTION_SPECS if spec.source != "http"]


def check_concurrency(account: Account) -> Finding:
    """Check the account's quota; new accounts have 10 in place of AWS's default of 1,000."""
    limit = account.call("lambda", "get_account_settings")["AccountLimit"]
    quota, free = limit["ConcurrentExecutions"], limit["UnreservedConcurrentExecutions"]
    seen = f"{quota} invocations at once in the account, of which {free} are not reserved"
    if quota >= MIN_CONCURRENCY:
        return ok(seen)
    advice = (
        "Each request and each open stream is an invocation until it ends; further requests are "
        "refused with 429. Request a higher quota; AWS often needs a day."
    )
    request = f"service-quotas request-service-quota-increase {QUOTA}"
    return fails(
        seen, advice, account.stack.command(f"{request} --desired-value {WANTED_CONCURRENCY}")
    )


def check_reserved(account: Account) -> Finding:
    """Check that nobody has switched a function off by a reserved concurrency of 0."""
    off, reserved = [], []
    for file, name in account.functions():
        settings = account.call("lambda", "get_function_concurrency", FunctionName=name)
        count = settings.get("ReservedConcurrentExecutions")
        if count is not None:
            reserved.append(f"{file} {count}")
            off += [(file, name)] if count == 0 else []
    if not off:
        return ok(f"reserved concurrency: {', '.join(reserved) or 'none'}")
    commands = [
        account.stack.command(f"lambda delete-function-concurrency --function-name {name}")
        for _, name in off
    ]
    seen = f"{', '.join(file for file, _ in off)}: the reserved concurrency is 0"
    advice = (
        "Lambda refuses all invocations. This removes the limit; `make deploy` sets yours again."
    )
    return fails(seen, advice, *commands)


def check_recursion(account: Account) -> Finding:
    """Check that Lambda does not stop the function that sends messages to its own queue.

    https://docs.aws.amazon.com/lambda/latest/dg/invocation-recursion.html
    """
    recursive = {spec.name for spec in FUNCTION_SPECS if spec.is_recursive}
    wrong = [
        (file, name)
        for file, name in account.functions()
        if file in recursive and _recursive_loop(account, name) != "Allow"
    ]
    if not wrong:
        return ok(f"recursive loop detection of {', '.join(sorted(recursive))}: Allow")
    commands = [
        account.stack.command(
            f"lambda put-function-recursion-config --function-name {name} --recursive-loop Allow"
        )
        for _, name in wrong
    ]
    advice = (
        "Lambda drops a message when its chain invokes the function for the 16th time: responses "
        "that take long remain without an end and without usage."
    )
    return fails(f"{', '.join(file for file, _ in wrong)}: Terminate", advice, *commands)


def check_event_sources(account: Account) -> Finding:
    """Check that the queue and the table's stream invoke their functions."""
    found = account.find("Lambda::EventSourceMapping")
    if len(found) < len(SOURCES):
        seen = f"{len(found)} event sources; there should be one each for {', '.join(SOURCES)}"
        return fails(seen, "Deploy again with `make deploy`.")
    failures = [each for source in found for each in _check_source(account, source.id)]
    return failures[0] if failures else ok(f"{len(found)} event sources are enabled")


def _recursive_loop(account: Account, name: str) -> str:
    settings = account.call("lambda", "get_function_recursion_config", FunctionName=name)
    return str(settings["RecursiveLoop"])


def _check_source(account: Account, id: str) -> Iterator[Finding]:
    try:
        source = account.call("lambda", "get_event_source_mapping", UUID=id)
    except MissingError:
        advice = (
            "It was deleted by hand, and `make deploy` does not notice that. Its settings are in "
            "the template; create it again with `aws lambda create-event-source-mapping`."
        )
        template = f"cloudformation get-template --stack-name {account.stack.name}"
        yield fails(
            f"the event source {id} does not exist", advice, account.stack.command(template)
        )
        return
    yield from _check_state(account, source)


def _check_state(account: Account, source: Mapping[str, Any]) -> Iterator[Finding]:
    # arn:aws:lambda:REGION:ACCOUNT:function:NAME, with :ALIAS where an alias is invoked
    function = source["FunctionArn"].split(":", 6)[6]
    seen = f"{function}: {source['State']}"
    result = source.get("LastProcessingResult") or ""
    if source["State"] in CHANGING:
        yield fails(seen, "Wait a minute, then run this again.")
    elif source["State"] != "Enabled":
        enable = f"lambda update-event-source-mapping --uuid {source['UUID']} --enabled"
        yield fails(
            seen,
            "It does not invoke its function: unfinished responses get no end, or usage is not "
            "counted. The queue holds messages for 14 days, the table's stream for 24 hours.",
            account.stack.command(enable),
        )
    elif result.startswith("PROBLEM"):
        log = f"logs tail --since 1h {_log_group(account, function)}"
        yield fails(
            f"{seen}, with the last result {result}",
            "Invocations fail. Look for [ERROR] in the log group of the function.",
            account.stack.command(log),
        )


def _log_group(account: Account, function: str) -> str:
    """Return the log group of a function, from its settings."""
    name = function.partition(":")[0]
    settings = account.call("lambda", "get_function_configuration", FunctionName=name)
    return str(settings.get("LoggingConfig", {}).get("LogGroup", f"/aws/lambda/{name}"))
