"""The graphs of the dashboard as data: what each shows, from the figures that there are."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_lambda as lambda_

from antiphon.settings import metrics
from antiphon.settings.metrics import Metric
from infra.constructs.alarms import FOLLOWS_CHANGES
from infra.constructs.measured import MOST, PERIOD, SAMPLES, each, of, search, total
from infra.constructs.queue import Queues

PERCENTILES = ("p50", "p90", "p99")
EACH = "in 5 min"


@dataclass(frozen=True)
class Graph:
    title: str
    unit: str
    lines: Sequence[cloudwatch.IMetric]
    stacked: bool = False
    limit: float | None = None


def callers(stage: str) -> list[Graph]:
    begun = of(stage, metrics.FIRST_EVENT, SAMPLES, "streams")
    return [
        Graph("Requests", EACH, [of(stage, metrics.REQUESTS)]),
        Graph("Errors by kind", EACH, [each(stage, metrics.ERRORS)], stacked=True),
        Graph("Cut streams", EACH, [begun, of(stage, metrics.CUT_STREAMS)]),
        _times(stage, "Time to a stream's first event", metrics.FIRST_EVENT),
        _times(stage, "Time to a whole answer", metrics.ANSWER),
        _times(stage, "Added by the gateway", metrics.ADDED),
    ]


def spending(stage: str) -> list[Graph]:
    cost = [each(stage, metrics.COST), total(stage, metrics.COST, "all")]
    budgets = [of(stage, metrics.BUDGET_USED, MOST)]
    return [
        Graph("Cost", "US dollars in 5 min", cost),
        Graph("Input tokens", EACH, [each(stage, metrics.INPUT_TOKENS)], stacked=True),
        Graph("Output tokens", EACH, [each(stage, metrics.OUTPUT_TOKENS)], stacked=True),
        Graph("Input from the provider's cache", "percent", [_cached(stage)]),
        Graph("Responses without a known price", EACH, [each(stage, metrics.UNPRICED)]),
        Graph("The budget used most", "percent", budgets, limit=metrics.BUDGET_ALERT_PERCENT),
    ]


def trouble(stage: str) -> list[Graph]:
    moved = (metrics.FAILOVERS, metrics.ALL_OPEN)
    late = (metrics.DEFERRED_ROWS, metrics.LINK_NOT_WRITTEN, metrics.UNSETTLED)
    return [
        Graph("Circuits opened, by target", EACH, [each(stage, metrics.CIRCUITS_OPENED)]),
        Graph("Moved to another target, or none left", EACH, [of(stage, m) for m in moved]),
        Graph("Written late, or never", EACH, [of(stage, metric) for metric in late]),
    ]


def machinery(functions: Mapping[str, lambda_.Function], queues: Queues) -> list[Graph]:
    waiting, dead = queues.waiting, queues.dead
    messages = [
        waiting.metric_approximate_number_of_messages_visible(period=PERIOD, label="waiting"),
        dead.metric_approximate_number_of_messages_visible(period=PERIOD, label="dead letters"),
    ]
    ages: list[cloudwatch.IMetric] = [
        waiting.metric_approximate_age_of_oldest_message(period=PERIOD, label="queue")
    ]
    ages += [_age(functions[FOLLOWS_CHANGES])] if FOLLOWS_CHANGES in functions else []
    failed = [*_each(functions, "Errors", "Sum"), *_each(functions, "Throttles", "Sum")]
    return [
        Graph("Invocations", EACH, _each(functions, "Invocations", "Sum")),
        Graph("Failed and turned away", EACH, failed),
        Graph("At once", "environments", _each(functions, "ConcurrentExecutions", MOST)),
        Graph("Duration", "ms, p99", _each(functions, "Duration", "p99")),
        Graph("Queues", "messages", messages),
        Graph("Age of what waits", "seconds", ages),
    ]


def _times(stage: str, title: str, metric: Metric) -> Graph:
    return Graph(title, "ms", [of(stage, metric, share, share) for share in PERCENTILES])


def _cached(stage: str) -> cloudwatch.IMetric:
    cached, read = search(stage, metrics.CACHED_TOKENS), search(stage, metrics.INPUT_TOKENS)
    return cloudwatch.MathExpression(
        expression=f"100 * SUM({cached}) / SUM({read})",
        using_metrics={},
        label="cached",
        period=PERIOD,
    )


def _each(
    functions: Mapping[str, lambda_.Function], metric: str, statistic: str
) -> list[cloudwatch.IMetric]:
    return [
        made.metric(metric, statistic=statistic, period=PERIOD, label=f"{name} {metric.lower()}")
        for name, made in functions.items()
    ]


def _age(follower: lambda_.Function) -> cloudwatch.IMetric:
    changes = follower.metric("IteratorAge", statistic=MOST, period=PERIOD)
    return cloudwatch.MathExpression(
        expression="changes / 1000",
        using_metrics={"changes": changes},
        label="changes of the table",
        period=PERIOD,
    )
