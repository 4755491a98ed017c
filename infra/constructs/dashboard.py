"""The dashboard of a stage: requests, cost, problems and resources; its graphs as data."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from aws_cdk import Aws, CfnOutput, Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from antiphon.settings import metrics
from antiphon.settings.metrics import Metric
from infra.constructs.function_specs import STREAM_FUNCTION
from infra.constructs.metrics import (
    MAXIMUM,
    PERIOD,
    SAMPLE_COUNT,
    metric_by_dimensions,
    metric_total,
    search_expression,
    stage_metric,
)
from infra.constructs.options import stack_name
from infra.constructs.storage import Queues

# Units of CloudWatch's grid, which is 24 wide.
FULL_WIDTH, GRAPH_WIDTH, GRAPH_HEIGHT, HEADING_HEIGHT = 24, 8, 6, 2
DEFAULT_INTERVAL = Duration.hours(12)
PERCENTILES = ("p50", "p90", "p99")
PER_PERIOD = "in 5 min"


@dataclass(frozen=True)
class Graph:
    title: str
    unit: str
    lines: Sequence[cloudwatch.IMetric]
    stacked: bool = False
    limit: float | None = None  # drawn as a horizontal line


@dataclass(frozen=True)
class Section:
    heading: str  # Markdown
    graphs: Sequence[Graph]


def create_dashboard(
    scope: Construct,
    stage: str,
    functions: Mapping[str, lambda_.Function],
    queues: Queues,
    alarms: Sequence[cloudwatch.IAlarm],
) -> None:
    # Dashboards are global, so the name contains the Region: a stage can exist in several.
    dashboard = cloudwatch.Dashboard(
        scope,
        "Dashboard",
        dashboard_name=f"{stack_name(stage)}-{Aws.REGION}",
        default_interval=DEFAULT_INTERVAL,
        period_override=cloudwatch.PeriodOverride.INHERIT,
    )
    dashboard.add_widgets(_text_widget(_introduction(stage, functions), 3))
    status = cloudwatch.AlarmStatusWidget(alarms=alarms, width=FULL_WIDTH, height=3)
    dashboard.add_widgets(status)
    for section in _list_sections(stage, functions, queues):
        dashboard.add_widgets(_text_widget(section.heading, HEADING_HEIGHT))
        dashboard.add_widgets(*map(_graph_widget, section.graphs))
    CfnOutput(scope, "DashboardName", value=dashboard.dashboard_name)


def _introduction(stage: str, functions: Mapping[str, lambda_.Function]) -> str:
    logs = (
        f"[log of {name}](#logsV2:log-groups/log-group/{function.log_group.log_group_name})"
        for name, function in functions.items()
    )
    links = " · ".join(["[all alarms](#alarmsV2:)", *logs])
    return (
        f"# Antiphon {stage}\nThe stack {stack_name(stage)} creates this dashboard and overwrites "
        "changes to it. The description of each alarm states what to do. Logs Insights has saved "
        f"queries for errors, slow answers, single requests and more: {stack_name(stage)}/…"
        f"\n\n{links}"
    )


def _list_sections(
    stage: str, functions: Mapping[str, lambda_.Function], queues: Queues
) -> Iterator[Section]:
    yield Section(
        "## Requests\n*Added* is the gateway's own part of a request's time; the provider takes "
        "the rest. An error's kind is the code that the caller got, or provider_….",
        _request_graphs(stage),
    )
    yield Section(
        "## Tokens and cost\nCounted when the end of a response is known: up to `settle_hours` "
        "later. By tenant and key: `GET /usage`, `antiphon usage`.",
        _cost_graphs(stage),
    )
    yield Section(
        "## Problems\nOpen circuits, cut streams, rows written late. These graphs should be empty.",
        _problem_graphs(stage),
    )
    yield Section("## Resources\nMetrics of Lambda and SQS.", _resource_graphs(functions, queues))


def _request_graphs(stage: str) -> list[Graph]:
    begun = stage_metric(stage, metrics.FIRST_EVENT, SAMPLE_COUNT, "streams")
    errors = metric_by_dimensions(stage, metrics.ERRORS)
    requests = [stage_metric(stage, each) for each in (metrics.REQUESTS, metrics.SERVER_ERRORS)]
    return [
        Graph("Requests, and answers of 5xx", PER_PERIOD, requests),
        Graph("Errors by kind", PER_PERIOD, [errors], stacked=True),
        Graph("Cut streams", PER_PERIOD, [begun, stage_metric(stage, metrics.CUT_STREAMS)]),
        _latency_graph(stage, "Time to a stream's first event", metrics.FIRST_EVENT),
        _latency_graph(stage, "Time to a whole response", metrics.ANSWER),
        _latency_graph(stage, "Added by the gateway", metrics.ADDED),
    ]


def _cost_graphs(stage: str) -> list[Graph]:
    cost = [metric_by_dimensions(stage, metrics.COST), metric_total(stage, metrics.COST, "all")]
    input_tokens = metric_by_dimensions(stage, metrics.INPUT_TOKENS)
    output_tokens = metric_by_dimensions(stage, metrics.OUTPUT_TOKENS)
    unpriced = metric_by_dimensions(stage, metrics.UNPRICED)
    budget = stage_metric(stage, metrics.BUDGET_USED, MAXIMUM)
    return [
        Graph("Cost", "US dollars in 5 min", cost),
        Graph("Input tokens", PER_PERIOD, [input_tokens], stacked=True),
        Graph("Output tokens", PER_PERIOD, [output_tokens], stacked=True),
        Graph("Input tokens from the provider's cache", "percent", [_cached_percent(stage)]),
        Graph("Responses without a known price", PER_PERIOD, [unpriced]),
        Graph("Highest use of a budget", "percent", [budget], limit=metrics.BUDGET_ALERT_PERCENT),
    ]


def _problem_graphs(stage: str) -> list[Graph]:
    opened = metric_by_dimensions(stage, metrics.CIRCUITS_OPENED)
    failover = (metrics.FAILOVERS, metrics.ALL_OPEN)
    late = (metrics.DEFERRED_ROWS, metrics.LINK_NOT_WRITTEN, metrics.UNSETTLED)
    lost = (*late, metrics.SPANS_NOT_EXPORTED)
    return [
        Graph("Circuits opened, by target", PER_PERIOD, [opened]),
        Graph(
            "Failovers, and requests without a target left",
            PER_PERIOD,
            [stage_metric(stage, metric) for metric in failover],
        ),
        Graph(
            "Rows written late or never, and lost spans",
            PER_PERIOD,
            [stage_metric(stage, metric) for metric in lost],
        ),
    ]


def _resource_graphs(functions: Mapping[str, lambda_.Function], queues: Queues) -> list[Graph]:
    errors = _function_metrics(functions, "Errors", "Sum")
    throttles = _function_metrics(functions, "Throttles", "Sum")
    concurrent = _function_metrics(functions, "ConcurrentExecutions", MAXIMUM)
    return [
        Graph("Invocations", PER_PERIOD, _function_metrics(functions, "Invocations", "Sum")),
        Graph("Errors and throttles", PER_PERIOD, [*errors, *throttles]),
        Graph("Concurrency", "environments", concurrent),
        Graph("Duration", "ms, p99", _function_metrics(functions, "Duration", "p99")),
        Graph("Queues", "messages", _queue_lengths(queues)),
        Graph("Age of the oldest item", "seconds", _oldest_ages(functions, queues)),
    ]


def _latency_graph(stage: str, title: str, metric: Metric) -> Graph:
    lines = [stage_metric(stage, metric, share, share) for share in PERCENTILES]
    return Graph(title, "ms", lines)


def _cached_percent(stage: str) -> cloudwatch.IMetric:
    cached = search_expression(stage, metrics.CACHED_TOKENS)
    total = search_expression(stage, metrics.INPUT_TOKENS)
    return cloudwatch.MathExpression(
        expression=f"100 * SUM({cached}) / SUM({total})",
        using_metrics={},
        label="cached",
        period=PERIOD,
    )


def _function_metrics(
    functions: Mapping[str, lambda_.Function], metric: str, statistic: str
) -> list[cloudwatch.IMetric]:
    return [
        function.metric(
            metric, statistic=statistic, period=PERIOD, label=f"{name} {metric.lower()}"
        )
        for name, function in functions.items()
    ]


def _queue_lengths(queues: Queues) -> list[cloudwatch.IMetric]:
    labels = {
        "waiting": queues.deferred,
        "dead letters": queues.dead_letters,
        "lost changes": queues.lost_changes,
    }
    return [
        queue.metric_approximate_number_of_messages_visible(period=PERIOD, label=label)
        for label, queue in labels.items()
    ]


def _oldest_ages(
    functions: Mapping[str, lambda_.Function], queues: Queues
) -> list[cloudwatch.IMetric]:
    queue = queues.deferred.metric_approximate_age_of_oldest_message(period=PERIOD, label="queue")
    if STREAM_FUNCTION not in functions:
        return [queue]
    age = functions[STREAM_FUNCTION].metric("IteratorAge", statistic=MAXIMUM, period=PERIOD)
    changes = cloudwatch.MathExpression(
        expression="changes / 1000",
        using_metrics={"changes": age},
        label="changes of the table",
        period=PERIOD,
    )
    return [queue, changes]


def _text_widget(markdown: str, height: int) -> cloudwatch.IWidget:
    return cloudwatch.TextWidget(markdown=markdown, width=FULL_WIDTH, height=height)


def _graph_widget(graph: Graph) -> cloudwatch.IWidget:
    limits = [cloudwatch.HorizontalAnnotation(value=graph.limit)] if graph.limit else []
    return cloudwatch.GraphWidget(
        title=graph.title,
        left=graph.lines,
        left_annotations=limits,
        left_y_axis=cloudwatch.YAxisProps(min=0, label=graph.unit, show_units=False),
        stacked=graph.stacked,
        width=GRAPH_WIDTH,
        height=GRAPH_HEIGHT,
    )
