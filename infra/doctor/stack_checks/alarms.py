"""Checks of what an operator should hear of: dead letters, alarms, and who receives them."""

from collections.abc import Mapping
from typing import Any

from infra.doctor.account import Account
from infra.doctor.findings import Finding, fails, ok, skipped
from infra.operator.stack import StackResource

MESSAGES = "ApproximateNumberOfMessages"
# By construct: what to do with the messages once their cause is removed.
DEAD_LETTERS: Mapping[str, str] = {
    "DeadLetters": "sqs start-message-move-task --source-arn {arn}",
    "LostChanges": "sqs purge-queue --queue-url {url}",
}
PENDING = "PendingConfirmation"


def check_dead_letters(account: Account) -> Finding:
    counts = {
        queue: _read_queue(account, queue)
        for construct in DEAD_LETTERS
        for queue in account.find("SQS::Queue", construct)
    }
    full = {queue: found for queue, found in counts.items() if int(found[MESSAGES])}
    if not full:
        return ok(f"{len(counts)} dead-letter queues are empty")
    seen = ", ".join(f"{found[MESSAGES]} in {_name(queue)}" for queue, found in full.items())
    advice = (
        "Work failed too often: look at the messages and the log groups of settle and rollup, "
        "remove the cause, then have them processed again (lost changes: purge)."
    )
    commands = [
        account.stack.command(text.format(arn=found["QueueArn"], url=queue.id))
        for queue, found in full.items()
        for text in (_receive(queue), DEAD_LETTERS[_construct(queue)])
    ]
    return fails(seen, advice, *commands)


def check_subscription(account: Account) -> Finding:
    topic = account.stack.outputs.get("AlarmTopic")
    if topic is None:
        return skipped("the stack has no output AlarmTopic", "Deploy again with `make deploy`.")
    found = account.call("sns", "list_subscriptions_by_topic", TopicArn=topic)["Subscriptions"]
    pending = [each for each in found if each["SubscriptionArn"] == PENDING]
    if found and not pending:
        return ok(f"{len(found)} confirmed")
    if not pending:
        subscribe = _subscribe(account, topic, "email", "YOU@EXAMPLE.COM")
        return fails("nobody is subscribed", "Nobody receives the alarms.", subscribe)
    advice = (
        "Open the link in the message 'AWS Notification - Subscription Confirmation'; it is valid "
        "for 3 days. The command sends it again."
    )
    commands = [_subscribe(account, topic, each["Protocol"], each["Endpoint"]) for each in pending]
    seen = ", ".join(each["Endpoint"] for each in pending)
    return fails(f"not confirmed: {seen}", advice, *commands)


def check_alarms(account: Account) -> Finding:
    """Check that no alarm is active, missing, or without effect."""
    names = [each.id for each in account.find("CloudWatch::Alarm")]
    found = _read_alarms(account, names)
    active = [each for each in found if each["StateValue"] == "ALARM"]
    if active:
        return _describe_active(active)
    silent = [each["AlarmName"] for each in found if not each["ActionsEnabled"]]
    if silent:
        enable = f"cloudwatch enable-alarm-actions --alarm-names {' '.join(silent)}"
        advice = "They send no messages."
        return fails(f"disabled: {', '.join(silent)}", advice, account.stack.command(enable))
    missing = set(names) - {each["AlarmName"] for each in found}
    if missing:
        advice = (
            "They were deleted by hand, and `make deploy` does not notice that: deploy once "
            "without them, then again with them."
        )
        return fails(f"do not exist: {', '.join(sorted(missing))}", advice)
    return ok(f"{len(found)} alarms, none active")


def _read_alarms(account: Account, names: list[str]) -> list[Mapping[str, Any]]:
    if not names:  # AWS would return all alarms of the account
        return []
    found: list[Mapping[str, Any]] = account.call(
        "cloudwatch", "describe_alarms", AlarmNames=names, MaxRecords=100
    )["MetricAlarms"]
    return found


def _describe_active(active: list[Mapping[str, Any]]) -> Finding:
    seen = "; ".join(
        f"{each['AlarmName']} since {each['StateUpdatedTimestamp']:%Y-%m-%d %H:%M %Z}"
        for each in active
    )
    return fails(seen, " ".join(each.get("AlarmDescription", "") for each in active))


def _read_queue(account: Account, queue: StackResource) -> dict[str, str]:
    names = [MESSAGES, "QueueArn"]
    found: dict[str, str] = account.call(
        "sqs", "get_queue_attributes", QueueUrl=queue.id, AttributeNames=names
    )["Attributes"]
    return found


def _construct(queue: StackResource) -> str:
    return next(name for name in DEAD_LETTERS if queue.logical_id.startswith(name))


def _name(queue: StackResource) -> str:
    return queue.id.rpartition("/")[2]


def _receive(queue: StackResource) -> str:
    return f"sqs receive-message --queue-url {queue.id} --visibility-timeout 0"


def _subscribe(account: Account, topic: str, protocol: str, endpoint: str) -> str:
    recipient = f"--protocol {protocol} --notification-endpoint {endpoint}"
    return account.stack.command(f"sns subscribe --topic-arn {topic} {recipient}")
