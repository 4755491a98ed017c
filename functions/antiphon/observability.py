"""The functions' logger, and the buffer of their metrics.

Ids, sizes, timings and counts are logged; content and keys never are.
"""

import json
import logging
import os
import re
import sys
import traceback
from collections import defaultdict
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any, Protocol

from aws_lambda_powertools import Logger
from aws_lambda_powertools.metrics import EphemeralMetrics
from aws_lambda_powertools.metrics.functions import is_metrics_disabled
from pydantic_core import to_json

# Of one dimension in one environment: CloudWatch bills each value, and callers choose model names.
MAX_DIMENSION_VALUES = 100
OTHER = "other"
DIMENSION_VALUE = re.compile(r"[!-~][ -~]{0,199}")  # stricter than CloudWatch's own rule

type Dimensions = tuple[tuple[str, str], ...]

# Lambda filters by the levels that it documents: with WARN, it might take WARNING for INFO.
logging.addLevelName(logging.WARNING, "WARN")
logger = Logger(service=os.environ.get("POWERTOOLS_SERVICE_NAME", "antiphon"), use_rfc3339=True)


def failure_fields(exc: BaseException) -> dict[str, str]:
    """Return what is logged of an exception: its message may contain what a caller sent."""
    frame = traceback.extract_tb(exc.__traceback__)[-1]
    where = f"{frame.filename.rpartition('/')[2]}:{frame.lineno}"
    return {"error": type(exc).__name__, "where": where}


def log_request(message: str, request_id: str, fields: Mapping[str, object]) -> None:
    """Write a line of level INFO, with what `logger` adds but for the place in the code.

    Each request has one or two, and to format one by `logger` takes a tenth of its CPU time.
    """
    if logger.log_level > logging.INFO:
        return
    root, _, _ = os.environ.get("_X_AMZN_TRACE_ID", "").partition(";")
    trace = {"xray_trace_id": root.removeprefix("Root=")} if root else {}
    line = {"level": "INFO", "message": message, "timestamp": _now(), "service": logger.service}
    _write_line({**line, "request_id": request_id, **fields, **trace})


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def _write_line(line: Mapping[str, object]) -> None:
    sys.stdout.write(_to_ascii_json(line) + "\n")


def _to_ascii_json(line: Mapping[str, object]) -> str:
    """Return JSON without spaces: by pydantic's encoder, in a tenth of json's time, if it can."""
    with suppress(ValueError):  # it refuses half of a surrogate pair
        encoded = to_json(line)
        if encoded.isascii() and b"\x7f" not in encoded:  # json escapes what it leaves as it is
            return encoded.decode()
    return json.dumps(line, separators=(",", ":"))


class Metric(Protocol):
    """A metric that `settings.metrics` declares."""

    @property
    def name(self) -> str: ...
    @property
    def unit(self) -> str: ...


class MetricsBuffer:
    """Collects metrics until they are flushed, to as few log lines as possible.

    The lines are in CloudWatch's embedded metric format. An environment serves one invocation at a
    time, so one buffer is enough. Without a namespace in `env` nothing is written.
    """

    def __init__(self, env: Mapping[str, str]) -> None:
        namespace = env.get("POWERTOOLS_METRICS_NAMESPACE", "")
        # No `service` dimension: the namespace is specific enough.
        self._serializer = EphemeralMetrics(namespace=namespace, service="")
        self._is_enabled = bool(namespace) and not is_metrics_disabled()
        self._default_dimensions = {"stage": env.get("STAGE", "local")}
        # Lambda drops lines below the function's log level, and takes one without a level for INFO.
        self._level = env.get("AWS_LAMBDA_LOG_LEVEL", "INFO")
        self._groups: dict[Dimensions, dict[Metric, float]] = {}
        self._values: defaultdict[str, set[str]] = defaultdict(set)

    def count(self, metric: Metric, number: float = 1, **dimensions: str) -> None:
        """Add a number to a metric's sum."""
        key = tuple((name, self._limit_value(name, value)) for name, value in dimensions.items())
        group = self._groups.setdefault(key, {})
        group[metric] = group.get(metric, 0) + number

    def measure(self, values: Mapping[Metric, float]) -> None:
        """Record values; of all values until the next flush the greatest one counts."""
        group = self._groups.setdefault((), {})
        for metric, value in values.items():
            group[metric] = max(value, group.get(metric, value))

    def of(self, metric: Metric) -> float:
        """Return the sum of a metric since the last flush, over all dimensions."""
        return sum(group.get(metric, 0) for group in self._groups.values())

    def flush(self, **fields: str) -> None:
        """Write all metrics, with these fields in each line, and clear the buffer.

        Raise nothing: a response must not fail because of a metric.
        """
        groups, self._groups = self._groups, {}
        if not (groups and self._is_enabled):
            return
        try:
            fields = {"level": self._level, "timestamp": _now(), **fields}
            for line in self._build_lines(groups):
                _write_line({**line, **fields})
        except Exception as exc:  # noqa: BLE001  whatever failed, the caller gets the response
            logger.warning("metrics not written", extra={"error": type(exc).__name__})

    def _limit_value(self, name: str, value: str) -> str:
        """Return the value, or OTHER if it is not allowed or there are too many of this name."""
        known = self._values[name]
        if value not in known:
            if len(known) >= MAX_DIMENSION_VALUES or not DIMENSION_VALUE.fullmatch(value):
                return OTHER
            known.add(value)
        return value

    def _build_lines(
        self, groups: Mapping[Dimensions, Mapping[Metric, float]]
    ) -> list[dict[str, Any]]:
        """Build lines with as many groups as possible in each.

        A line may have a directive for each set of dimensions, but one value for each dimension.
        """
        lines: list[dict[str, Any]] = []
        for key, values in groups.items():
            dimensions = dict(key)
            line = self._build_line(dimensions, values)
            other = next((each for each in lines if each.keys().isdisjoint(dimensions)), None)
            if other is None:
                lines.append(line)
            else:
                directives = other["_aws"]["CloudWatchMetrics"]
                directives += line.pop("_aws")["CloudWatchMetrics"]
                other.update(line)
        return lines

    def _build_line(
        self, dimensions: Mapping[str, str], values: Mapping[Metric, float]
    ) -> dict[str, Any]:
        self._serializer.metric_set.clear()
        for metric, value in values.items():
            self._serializer.add_metric(metric.name, metric.unit, value)
        dimensions = {**self._default_dimensions, **dimensions}
        return {**self._serializer.serialize_metric_set(dimensions=dimensions)}


metrics = MetricsBuffer(os.environ)
