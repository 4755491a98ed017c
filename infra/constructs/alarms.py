"""The alarms as data: what is watched, from where on it matters, and what to do then."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_lambda as lambda_

from antiphon.settings import metrics
from infra.constructs.measured import MOST, PERIOD, SAMPLES, of
from infra.constructs.queue import Queues

LATE = Duration.hours(1)
FEWEST_CUTS, CUT_SHARE = 3, 5  # streams in five minutes, percent of all
FOLLOWS_CHANGES = "rollup"


@dataclass(frozen=True)
class Alarm:
    name: str
    metric: cloudwatch.IMetric
    reached: float
    then: str  # what to do
    lasting: bool = False  # in two of three periods, else in one


def alarms(
    stage: str, functions: Mapping[str, lambda_.Function], queues: Queues
) -> Iterator[Alarm]:
    yield from _of_functions(functions)
    yield from _of_queues(queues)
    yield from _of_requests(stage)
    yield from _of_records(stage)
    if FOLLOWS_CHANGES in functions:
        yield _of_changes(functions[FOLLOWS_CHANGES])


def _of_functions(functions: Mapping[str, lambda_.Function]) -> Iterator[Alarm]:
    for name, function in functions.items():
        yield Alarm(
            f"{name.capitalize()}Errors",
            function.metric_errors(period=PERIOD),
            1,
            f"Invocations of {name} failed. Read its log group for [ERROR] lines and for "
            "platform.report with a status other than success.",
        )
        yield Alarm(
            f"{name.capitalize()}Throttles",
            function.metric_throttles(period=PERIOD),
            1,
            f"Lambda turned calls of {name} away. Raise antiphon:reserved_concurrency, or the "
            "account's quota of concurrent executions.",
        )


def _of_queues(queues: Queues) -> Iterator[Alarm]:
    yield Alarm(
        "QueueAge",
        queues.waiting.metric_approximate_age_of_oldest_message(period=PERIOD),
        LATE.to_seconds(),
        "What was deferred is not being done. Read the log of the function that works on the "
        "queue; providers or the table may be out of reach.",
    )
    yield Alarm(
        "DeadLetters",
        queues.dead.metric_approximate_number_of_messages_visible(period=PERIOD),
        1,
        "Work was given up. Look at the messages of the dead-letter queue, remove the cause, then "
        "start a redrive to the queue.",
    )


def _of_requests(stage: str) -> Iterator[Alarm]:
    yield _of_streams(stage)
    yield Alarm(
        "AllOpen",
        of(stage, metrics.ALL_OPEN),
        1,
        "Every target that could take a request fails or asks to be left alone. See the circuits "
        "on the dashboard and the provider's status page; raise the provider's limits, or add a "
        "target for the model.",
        lasting=True,
    )
    yield Alarm(
        "BudgetNearEnd",
        of(stage, metrics.BUDGET_USED, MOST),
        metrics.BUDGET_ALERT_PERCENT,
        f"A key or a tenant has used {metrics.BUDGET_ALERT_PERCENT} % of its budget, and is "
        "refused at its end. Look for 'budget near its end' in the log of api, which names it; "
        "raise the budget, or tell those who spend it.",
    )


def _of_streams(stage: str) -> Alarm:
    return Alarm(
        "CutStreams",
        cloudwatch.MathExpression(
            expression=f"IF(cut >= {FEWEST_CUTS}, 100 * cut / begun, 0)",
            using_metrics={
                "cut": of(stage, metrics.CUT_STREAMS),
                "begun": of(stage, metrics.FIRST_EVENT, SAMPLES),
            },
            label="percent of streams",
            period=PERIOD,
        ),
        CUT_SHARE,
        f"At least {CUT_SHARE} % of the streams end without the provider's last event. Look for "
        "'stream cut' in the log of api: its attempts name the target. Where one is concerned, "
        "give it a higher priority number in gateway.toml and ask its provider; where all are, "
        "the answers may outlast the function's 15 minutes: ask for those in the background.",
    )


def _of_records(stage: str) -> Iterator[Alarm]:
    yield Alarm(
        "LinkNotWritten",
        of(stage, metrics.LINK_NOT_WRITTEN),
        1,
        "Neither the table nor the queue took a row: callers were refused ids of what they have "
        "paid for, or usage stays unknown. Check DynamoDB and SQS in the AWS Health Dashboard and "
        "the rights of the API function's role.",
    )


def _of_changes(follower: lambda_.Function) -> Alarm:
    return Alarm(
        "ChangesAge",
        follower.metric("IteratorAge", statistic=MOST, period=PERIOD),
        LATE.to_milliseconds(),
        f"Usage, cost and the search by metadata lag an hour behind. Read the log of "
        f"{FOLLOWS_CHANGES} for 'change failed'; after a day changes are lost.",
    )
