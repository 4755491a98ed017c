"""The dashboard of a stage: what callers see, what it costs, what is in trouble, what runs."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from aws_cdk import Aws, CfnOutput, Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from infra.constructs.graphs import Graph, callers, machinery, spending, trouble
from infra.constructs.options import stack_name
from infra.constructs.queue import Queues

WHOLE, THIRD, HIGH, HEADING = 24, 8, 6, 2  # units of the grid: widths of a row, heights
SINCE = Duration.hours(12)


@dataclass(frozen=True)
class Section:
    says: str
    graphs: Sequence[Graph]


def dashboard(
    scope: Construct,
    stage: str,
    functions: Mapping[str, lambda_.Function],
    queues: Queues,
    alarms: Sequence[cloudwatch.IAlarm],
) -> None:
    # Dashboards are global: the same stage in another Region has one of its own.
    name = f"{stack_name(stage)}-{Aws.REGION}"
    made = cloudwatch.Dashboard(
        scope,
        "Dashboard",
        dashboard_name=name,
        default_interval=SINCE,
        period_override=cloudwatch.PeriodOverride.INHERIT,
    )
    made.add_widgets(_text(_head(stage, functions), 3))
    made.add_widgets(cloudwatch.AlarmStatusWidget(alarms=alarms, width=WHOLE, height=3))
    for section in _sections(stage, functions, queues):
        made.add_widgets(_text(section.says, HEADING))
        made.add_widgets(*map(_graph, section.graphs))
    CfnOutput(scope, "DashboardName", value=made.dashboard_name)


def _sections(
    stage: str, functions: Mapping[str, lambda_.Function], queues: Queues
) -> Iterator[Section]:
    yield Section(
        "## Callers\nAdded is the gateway's own part of a request's time; the rest is the "
        "provider's. An error's kind is the code that the caller got, or provider_….",
        callers(stage),
    )
    yield Section(
        "## Tokens and cost\nOf each response, when its end is known: up to `settle_hours` later. "
        "By tenant and key: `GET /usage`, `antiphon usage`.",
        spending(stage),
    )
    yield Section(
        "## Trouble\nTargets that are spared, streams that were cut, rows that came late. An empty "
        "graph is a good one.",
        trouble(stage),
    )
    yield Section("## What runs\nAs Lambda and SQS tell it.", machinery(functions, queues))


def _head(stage: str, functions: Mapping[str, lambda_.Function]) -> str:
    logs = (
        f"[log of {name}](#logsV2:log-groups/log-group/{made.log_group.log_group_name})"
        for name, made in functions.items()
    )
    links = " · ".join(["[all alarms](#alarmsV2:)", *logs])
    return (
        f"# Antiphon {stage}\nMade by the stack {stack_name(stage)}, which overwrites what is "
        f"changed here. Each alarm says what to do. To find a request, search the log of api for "
        f"its `x-antiphon-request-id`.\n\n{links}"
    )


def _text(markdown: str, height: int) -> cloudwatch.IWidget:
    return cloudwatch.TextWidget(markdown=markdown, width=WHOLE, height=height)


def _graph(graph: Graph) -> cloudwatch.IWidget:
    limits = [cloudwatch.HorizontalAnnotation(value=graph.limit)] if graph.limit else []
    return cloudwatch.GraphWidget(
        title=graph.title,
        left=graph.lines,
        left_annotations=limits,
        left_y_axis=cloudwatch.YAxisProps(min=0, label=graph.unit, show_units=False),
        stacked=graph.stacked,
        width=THIRD,
        height=HIGH,
    )
