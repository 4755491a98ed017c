"""The dashboard: it shows all metrics of the functions, and no others."""

import json
import pathlib
import re
from collections.abc import Iterator

import pytest

from antiphon.settings import metrics
from antiphon.settings.metrics import METRICS, NAMESPACE, STAGE
from tests.infra.synthesis import PROJECT, function, only, resources, template
from tests.infra.variants import DEV

OWN_METRICS = {metric.name: metric for metric in METRICS}
SEARCH = re.compile(
    r"""SEARCH\('\{(\w+),([\w,]+)\} MetricName="(\w+)" (\w+)="([\w-]+)"', '(Sum)'\)"""
)
AWS_METRICS = {
    "AWS/Lambda": {
        "ConcurrentExecutions",
        "Duration",
        "Errors",
        "Invocations",
        "IteratorAge",
        "Throttles",
    },
    "AWS/SQS": {"ApproximateAgeOfOldestMessage", "ApproximateNumberOfMessagesVisible"},
}


def flat(value):
    """Return a text with the parts that only a deployment knows in angle brackets."""
    if isinstance(value, str):
        return value
    if "Fn::Join" in value:
        between, parts = value["Fn::Join"]
        return between.join(map(flat, parts))
    (named,) = value.values()
    return f"<{named if isinstance(named, str) else '.'.join(named)}>"


def body(made):
    return json.loads(flat(only(made, "CloudWatch::Dashboard")["DashboardBody"]))


def of_kind(made, kind):
    return [each["properties"] for each in body(made)["widgets"] if each["type"] == kind]


def lines(made) -> Iterator[tuple[str, str, dict[str, str]]]:
    """Yield the metrics of all graphs; a dimension of a search has the value None."""
    for graph in of_kind(made, "metric"):
        for line in graph["metrics"]:
            *path, options = [*line, {}] if not isinstance(line[-1], dict) else line
            expression = options.get("expression", "")
            for namespace, schema, name, stage, value, _ in SEARCH.findall(expression):
                yield namespace, name, {**dict.fromkeys(schema.split(",")), stage: value}
            assert "SEARCH" not in SEARCH.sub("", expression)
            if path:
                namespace, name, *dimensions = path
                yield namespace, name, dict(zip(dimensions[::2], dimensions[1::2], strict=True))


def test_dashboard_shows_all_metrics_with_their_dimensions():
    names = set()
    for namespace, name, dimensions in lines(template(**DEV)):
        if namespace == NAMESPACE:
            assert dimensions == {**dict.fromkeys(OWN_METRICS[name].dimensions), STAGE: "dev"}
            names.add(name)
        else:
            assert name in AWS_METRICS[namespace]
    assert names == set(OWN_METRICS)


@pytest.mark.parametrize("metric", METRICS, ids=lambda metric: metric.name)
def test_every_metric_is_recorded_by_code(metric):
    (constant,) = (name for name, value in vars(metrics).items() if value is metric)
    code = [
        path.read_text()
        for path in pathlib.Path(PROJECT, "functions", "antiphon").rglob("*.py")
        if path.name != "metrics.py"
    ]
    assert any(re.search(rf"\b{constant}\b", text) and "settings.metrics" in text for text in code)


def test_functions_get_stage_and_namespace():
    for name in ("api", "settle", "rollup"):
        env = function(template(**DEV), name)["Environment"]["Variables"]
        assert env["STAGE"] == "dev"
        assert env["POWERTOOLS_METRICS_NAMESPACE"] == NAMESPACE
        assert "POWERTOOLS_METRICS_DISABLED" not in env


def test_names_differ_by_stage_and_region():
    """Dashboard names are unique in an account, not in a Region."""
    names = [
        flat(only(made, "CloudWatch::Dashboard")["DashboardName"])
        for made in (template(), template(**DEV))
    ]
    assert names == ["Antiphon-prod-<AWS::Region>", "Antiphon-dev-<AWS::Region>"]


def test_first_widget_shows_every_alarm():
    (widget,) = of_kind(template(), "alarm")
    assert {name.strip("<>").removesuffix(".Arn") for name in widget["alarms"]} == set(
        resources(template(), "CloudWatch::Alarm")
    )


def test_introduction_links_to_alarms_and_every_log():
    (head, *_) = of_kind(template(), "text")
    groups = resources(template(), "Logs::LogGroup")
    linked = re.findall(r"\(#(\S+?)\)", head["markdown"])
    of_functions = [name for name in groups if not name.startswith("AccessLogs")]
    assert linked[0] == "alarmsV2:"
    assert {each.rpartition("/")[2].strip("<>") for each in linked[1:]} == set(of_functions)


def test_widgets_do_not_overlap():
    taken = set()
    for each in body(template())["widgets"]:
        cells = {
            (each["x"] + x, each["y"] + y)
            for x in range(each["width"])
            for y in range(each["height"])
        }
        assert not cells & taken
        taken |= cells
    assert max(x for x, _ in taken) == 23
