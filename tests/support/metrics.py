"""Metrics and log lines of the functions, read as CloudWatch reads them."""

import json
from typing import Any

import pytest

from antiphon.observability import logger
from antiphon.settings.metrics import METRICS, NAMESPACE
from tests.support.lazy import LazyModule

jsonschema = LazyModule("jsonschema")

UNITS = {metric.name: metric.unit for metric in METRICS}
DIMENSIONS = {metric.name: metric.dimensions for metric in METRICS}
# The schema of the embedded metric format as AWS publishes it, without the resolution.
# https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
NAME = {"type": "string", "minLength": 1, "maxLength": 1024}
DIRECTIVE = {
    "type": "object",
    "required": ["Namespace", "Dimensions", "Metrics"],
    "properties": {
        "Namespace": {"type": "string", "minLength": 1, "maxLength": 1024, "pattern": "^(.*)$"},
        "Dimensions": {
            "type": "array",
            "minItems": 1,
            "items": {
                "type": "array",
                "minItems": 1,
                "maxItems": 30,
                "items": {"type": "string", "minLength": 1, "maxLength": 250},
            },
        },
        "Metrics": {
            "type": "array",
            "minItems": 1,
            "maxItems": 100,
            "items": {
                "type": "object",
                "required": ["Name"],
                "properties": {
                    "Name": NAME,
                    "Unit": {"enum": ["Count", "Milliseconds", "None", "Percent"]},
                },
            },
        },
    },
}
SCHEMA = {
    "type": "object",
    "required": ["_aws"],
    "properties": {
        "_aws": {
            "type": "object",
            "required": ["Timestamp", "CloudWatchMetrics"],
            "properties": {
                "Timestamp": {"type": "integer"},
                "CloudWatchMetrics": {"type": "array", "minItems": 1, "items": DIRECTIVE},
            },
        }
    },
}

type Values = dict[str, float]  # by a metric's name, and the values of its dimensions


def read_emf_lines(log: str) -> list[dict[str, Any]]:
    """All lines in the embedded metric format, in their order; each must be valid."""
    found = [json.loads(line) for line in log.splitlines() if '"_aws"' in line]
    for line in found:
        jsonschema.validate(line, SCHEMA)
    return found


def read_metric_values(line: dict[str, Any]) -> Values:
    """The values that CloudWatch extracts of a line; each metric must be a declared one."""
    found = {}
    for directive in line["_aws"]["CloudWatchMetrics"]:
        assert directive["Namespace"] == NAMESPACE
        (dimensions,) = directive["Dimensions"]
        for metric in directive["Metrics"]:
            name = metric["Name"]
            assert dimensions == ["stage", *DIMENSIONS[name]]
            assert metric["Unit"] == UNITS[name]
            (value,) = line[name]
            where = " ".join(line[dimension] for dimension in dimensions[1:])
            found[f"{name} {where}".strip()] = value
    return found


def pop_request_times(values: Values) -> str:
    """Removes a request's times, which must be plausible; returns the name of the first one."""
    (name,) = {"AnswerMs", "FirstEventMs"} & values.keys()
    ready, added = values.pop(name), values.pop("AddedMs")
    assert 0 < added < ready
    return name


def format_log(caplog: pytest.LogCaptureFixture) -> str:
    """The log as the functions write it: with the fields beside each message."""
    return "\n".join(map(logger.registered_formatter.format, caplog.records))
