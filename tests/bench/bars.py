"""What the figures must be, and whether they are: absolute bars, and ratios of the same run."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tests.bench.curves import largest_growth
from tests.bench.peer_programs import LITELLM
from tests.bench.rig import BARE, NAIVE, OURS

type Results = Mapping[str, Any]


@dataclass(frozen=True)
class KindBars:
    """Of one kind of call: all of the gateway's own work, the link's write among it."""

    what: str
    ms: float
    naive_proxies: float
    cpu_of: str
    cpu_ms: float


LITELLMS = 4  # at least so many times as much as the gateway
KINDS = {
    "not_streamed": KindBars("not streamed", 1.6, 1.5, "a call", 1.5),
    "first_event": KindBars("first event", 1.4, 1.25, "a stream without deltas", 2.2),
}
PACED_US, BARE_LOOPS = 60, 1.25
START_MS, RESIDENT_MB = 400, 65
STREAMS = 200
GROWTH = 1.05  # a number in a row may have more digits


@dataclass(frozen=True)
class Bar:
    """A value of None was not measured, and says nothing."""

    what: str
    value: float | None
    limit: float
    unit: str
    source: str = "absolute"  # where the limit comes from
    least: bool = False  # the value must not be below the limit; else not above it

    @property
    def holds(self) -> bool | None:
        if self.value is None:
            return None
        return self.value >= self.limit if self.least else self.value <= self.limit

    def document(self) -> dict[str, Any]:
        return {
            "what": self.what,
            "value": self.value,
            "limit": self.limit,
            "unit": self.unit,
            "source": self.source,
            "bound": "least" if self.least else "most",
            "holds": self.holds,
        }


def bars(results: Results) -> list[Bar]:
    """Those of what was measured."""
    there = {name: judge for name, judge in JUDGES.items() if name in results}
    return [bar for name, judge in there.items() for bar in judge(results[name])]


def _latency(found: Results) -> Iterator[Bar]:
    for kind, limits in KINDS.items():
        rows = found[kind]
        added = {name: row["added_ms"]["p50"] for name, row in rows.items()}
        what, limit = f"{limits.what}, added p50", round(limits.naive_proxies * added[NAIVE], 4)
        yield Bar(what, added[OURS], limits.ms, "ms")
        yield Bar(what, added[OURS], limit, "ms", f"{limits.naive_proxies} naive proxies")
        yield Bar(f"CPU of {limits.cpu_of}", rows[OURS]["cpu_ms"], limits.cpu_ms, "ms")
        yield from _behind(what, added)
        yield from _behind(
            f"CPU of {limits.cpu_of}", {name: row["cpu_ms"] for name, row in rows.items()}
        )


def _paced(found: Results) -> Iterator[Bar]:
    ours, loop = found[OURS], found[BARE]["cpu_us_per_event"]
    cpu = ours["cpu_us_per_event"]
    yield Bar("added lag of an event, p50", ours["added_lag_ms"], 0.3, "ms")
    yield Bar("events merged", ours["merged"], 0, "")
    yield Bar("CPU of a paced event", cpu, PACED_US, "µs")
    events = {name: row["cpu_us_per_event"] for name, row in found.items()}
    yield from _behind("CPU of a paced event", events)
    if loop is not None:
        limit = round(BARE_LOOPS * loop, 2)
        yield Bar("CPU of a paced event", cpu, limit, "µs", f"{BARE_LOOPS} bare loops")


def _behind(what: str, figures: Mapping[str, float | None]) -> Iterator[Bar]:
    """LiteLLM's figure by ours, where it was measured."""
    theirs, ours = figures.get(LITELLM), figures[OURS]
    if theirs is not None and ours is not None and ours > 0:
        yield Bar(what, round(theirs / ours, 2), LITELLMS, "x", "LiteLLM by gateway", least=True)


def _start(found: Results) -> Iterator[Bar]:
    yield Bar("start to first answer, p50", found[OURS]["ms"]["p50"], START_MS, "ms")
    yield Bar("resident memory", found[OURS]["rss_mb"], RESIDENT_MB, "MB")
    starts = {name: row["ms"]["p50"] for name, row in found.items()}
    yield from _behind("start to first answer, p50", starts)
    resident = {name: row["rss_mb"] for name, row in found.items()}
    yield from _behind("resident memory", resident)


def _asset(found: Results) -> Iterator[Bar]:
    yield Bar("asset with trimmed boto3, zipped", found.get("zipped_mb"), 16, "MB")


def _crowd(found: Results) -> Iterator[Bar]:
    """Fewer streams that arrive well say nothing of as many as the bar wants."""
    front = found.get("front", {"streams": None, "good": True})
    arrived = front["streams"] if front["good"] else 0
    if arrived is None or not 0 < arrived < STREAMS:
        yield Bar("streams at once, local front", arrived, STREAMS, "", least=True)


def _growth(found: Results) -> Iterator[Bar]:
    for curve, points in found.items():
        for name, times in largest_growth(points):
            what = f"{name.replace('aws_', 'AWS ')}, most {curve} by fewest"
            yield Bar(what, times, GROWTH, "x")


JUDGES: Mapping[str, Callable[[Results], Iterator[Bar]]] = {
    "latency": _latency,
    "paced": _paced,
    "start": _start,
    "asset": _asset,
    "crowd": _crowd,
    "growth": _growth,
}
