"""The figures that a function has told, read from its log as CloudWatch reads them."""

import asyncio
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import jsonschema

from antiphon.settings.metrics import METRICS, NAMESPACE
from tests.faults.shim import Shim

UNITS = {metric.name: metric.unit for metric in METRICS}
DIMENSIONS = {metric.name: metric.dimensions for metric in METRICS}
# The schema of the embedded metric format, as AWS gives it; resolution is not used here.
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


def lines(written: str) -> list[dict[str, Any]]:
    """All lines in the embedded metric format, in their order; each must be a good one."""
    found = [json.loads(line) for line in written.splitlines() if '"_aws"' in line]
    for line in found:
        jsonschema.validate(line, SCHEMA)
    return found


def values(line: dict[str, Any]) -> Values:
    """What CloudWatch makes of a line; each figure must be one of the list."""
    told = {}
    for directive in line["_aws"]["CloudWatchMetrics"]:
        assert directive["Namespace"] == NAMESPACE
        (dimensions,) = directive["Dimensions"]
        for metric in directive["Metrics"]:
            name = metric["Name"]
            assert dimensions == ["stage", *DIMENSIONS[name]]
            assert metric["Unit"] == UNITS[name]
            (value,) = line[name]
            where = " ".join(line[dimension] for dimension in dimensions[1:])
            told[f"{name} {where}".strip()] = value
    return told


def times(told):
    """Which times of a request are told, after they are taken out of it; they must be possible."""
    (name,) = {"AnswerMs", "FirstEventMs"} & told.keys()
    ready, added = told.pop(name), told.pop("AddedMs")
    assert 0 < added < ready
    return name


@contextmanager
def cuttable(endpoint: str) -> Iterator[Shim]:
    """A wire to an AWS that can be cut for single operations, in a thread of its own."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    shim = Shim()
    try:
        asyncio.run_coroutine_threadsafe(shim.open(), loop).result()
        shim.before(endpoint)
        yield shim
        asyncio.run_coroutine_threadsafe(shim.close(), loop).result()
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
