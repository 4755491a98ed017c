"""What the functions tell of themselves: a line for each request, and one of its figures.

Ids, sizes, timings and counts are told; content and keys never are.
"""

import json
import os
import re
import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Protocol

from aws_lambda_powertools import Logger
from aws_lambda_powertools.metrics import EphemeralMetrics
from aws_lambda_powertools.metrics.functions import is_metrics_disabled

MAX_DIMENSION_VALUES = (
    100  # of a dimension in one environment: each is billed, and callers name models
)
OTHER = "other"
DIMENSION_VALUE = re.compile(
    r"[!-~][ -~]{0,199}"
)  # what CloudWatch takes for a value, and rather less

type Dimensions = tuple[tuple[str, str], ...]

logger = Logger(service=os.environ.get("POWERTOOLS_SERVICE_NAME", "antiphon"), use_rfc3339=True)


class Metric(Protocol):
    """One of `settings.metrics`."""

    @property
    def name(self) -> str: ...
    @property
    def unit(self) -> str: ...


class MetricsBuffer:
    """Gathers what a request counts and measures until it is told, in one line where it can be.

    The line is in CloudWatch's embedded metric format. One of these is enough: an environment
    serves one request at a time. Where no namespace is given nothing is told.
    """

    def __init__(self, env: Mapping[str, str]) -> None:
        self.waited_ms = 0.0  # for providers
        given = env.get("POWERTOOLS_METRICS_NAMESPACE", "")
        # Without a service of its own: the namespace says it.
        self._metrics = EphemeralMetrics(namespace=given, service="")
        self._speaks = bool(given) and not is_metrics_disabled()
        self._always = {"stage": env.get("STAGE", "local")}
        # Lambda drops what is below the function's level, and takes a line without one for INFO.
        self._level = env.get("AWS_LAMBDA_LOG_LEVEL", "INFO")
        self._groups: dict[Dimensions, dict[Metric, float]] = {}
        self._values: defaultdict[str, set[str]] = defaultdict(set)

    def count(self, metric: Metric, number: float = 1, **dimensions: str) -> None:
        """Add to what is known of it."""
        where = tuple((name, self._value(name, value)) for name, value in dimensions.items())
        group = self._groups.setdefault(where, {})
        group[metric] = group.get(metric, 0) + number

    def measure(self, metric: Metric, value: float) -> None:
        """The greatest value of a request stands for it."""
        group = self._groups.setdefault((), {})
        group[metric] = max(value, group.get(metric, value))

    def of(self, metric: Metric) -> float:
        """What is known of it by now, whatever the dimensions."""
        return sum(group.get(metric, 0) for group in self._groups.values())

    def tell(self, **about: str) -> None:
        """Log all there is, and forget it; nothing is raised, for a figure is worth no answer."""
        groups, self._groups, self.waited_ms = self._groups, {}, 0.0
        if not (groups and self._speaks):
            return
        try:
            now = datetime.now(UTC).isoformat(timespec="milliseconds")
            about = {"level": self._level, "timestamp": now, **about}
            for line in self._lines(groups):
                sys.stdout.write(json.dumps({**line, **about}, separators=(",", ":")) + "\n")
        except Exception as exc:  # noqa: BLE001  whatever it is, the caller is to have the answer
            logger.warning("figures not told", extra={"error": type(exc).__name__})

    def _value(self, name: str, value: str) -> str:
        """Few and plain ones: the rest is another."""
        known = self._values[name]
        if value not in known:
            if len(known) >= MAX_DIMENSION_VALUES or not DIMENSION_VALUE.fullmatch(value):
                return OTHER
            known.add(value)
        return value

    def _lines(self, groups: Mapping[Dimensions, Mapping[Metric, float]]) -> Iterator[Any]:
        """A line has one value for each dimension, but a directive for each set of dimensions."""
        lines: list[dict[str, Any]] = []
        for where, values in groups.items():
            made = self._line(dict(where), values)
            beside = next((line for line in lines if line.keys().isdisjoint(dict(where))), None)
            if beside is None:
                lines.append(made)
            else:
                directives = beside["_aws"]["CloudWatchMetrics"]
                directives += made.pop("_aws")["CloudWatchMetrics"]
                beside.update(made)
        yield from lines

    def _line(self, where: dict[str, str], values: Mapping[Metric, float]) -> dict[str, Any]:
        self._metrics.metric_set.clear()
        for metric, value in values.items():
            self._metrics.add_metric(metric.name, metric.unit, value)
        return {**self._metrics.serialize_metric_set(dimensions={**self._always, **where})}


metrics = MetricsBuffer(os.environ)
