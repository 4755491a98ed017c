"""What an event costs that comes by itself, as a model's words do: time, CPU, and company."""

from typing import Any

from tests.bench.answer import Delta, merged
from tests.bench.progress import Report, with_prefix
from tests.bench.request import EMPTY, Ask
from tests.bench.rig import BARE, DIRECT, FLOOR, NAIVE, OURS, Rig
from tests.bench.scale import Scale
from tests.bench.spread import median, spread
from tests.bench.turns import Course, Turns, run

NAMES = (DIRECT, FLOOR, BARE, NAIVE, OURS)
EMPTY_CALLS = 10  # in a turn, to know what a stream costs without deltas


async def measure(rig: Rig, scale: Scale, report: Report) -> dict[str, Any]:
    """Milliseconds from the provider's write to our read, microseconds of CPU for each event."""
    contestants = rig.some(*NAMES, *sorted(rig.streaming))
    empty = Course(EMPTY, EMPTY_CALLS, scale.streams, scale.seconds)
    paced = Course(Ask(scale.deltas, scale.pace_ms), 1, scale.streams, 2 * scale.seconds)
    without = await run(contestants, empty, with_prefix(report, "empty streams"))
    streams = await run(contestants, paced, with_prefix(report, "paced streams"))
    rows = {name: _row(streams[name], without[name], scale.deltas) for name in contestants}
    for row in rows.values():
        row["added_lag_ms"] = round(row["lag_ms"]["p50"] - rows[DIRECT]["lag_ms"]["p50"], 4)
    return rows


def _row(streams: Turns, without: Turns, deltas: int) -> dict[str, Any]:
    deltas_by_stream: list[list[Delta]] = [list(answer.deltas()) for answer in streams.answers]
    if any(len(some) != deltas for some in deltas_by_stream):
        raise AssertionError("A stream did not carry all its events.")
    return {
        "streams": len(deltas_by_stream),
        "lag_ms": spread([delta.lag_ms for some in deltas_by_stream for delta in some]),
        "merged": sum(map(merged, deltas_by_stream)),
        "cpu_us_per_event": _cpu_us(median(streams.cpu_ms), median(without.cpu_ms), deltas),
    }


def _cpu_us(stream_ms: float | None, empty_ms: float | None, deltas: int) -> float | None:
    if stream_ms is None or empty_ms is None:
        return None
    return round((stream_ms - empty_ms) * 1000 / deltas, 2)
