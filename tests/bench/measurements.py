"""Everything that can be measured, in the order in which it is."""

from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

from tests.bench.measures import asset, crowd, front, growth, latency, paced, planning, start
from tests.bench.progress import Report, with_prefix
from tests.bench.rig import Rig, rigged
from tests.bench.scale import Scale

type Measure = Callable[[Rig, Scale, Report], Awaitable[dict[str, Any]]]

MEASUREMENTS: Mapping[str, Measure] = {
    "planning": planning.measure,
    "latency": latency.measure,
    "paced": paced.measure,
    "start": start.measure,
    "front": front.measure,
    "asset": asset.measure,
}


@dataclass(frozen=True)
class BenchOptions:
    """What is to be measured, and how."""

    names: Collection[str]
    scale: Scale
    streams: int | None = None  # so many at once
    from_source: bool = False
    peers: bool = False  # those of other projects, too
    growth: bool = False


async def run(options: BenchOptions, report: Report) -> dict[str, Any]:
    """The results by measurement; `functions` is what the function was started from."""
    targets = growth.name_targets(max(options.scale.growth_targets) if options.growth else 1)
    async with rigged(
        report, from_source=options.from_source, with_peers=options.peers, targets=targets
    ) as rig:
        found: dict[str, Any] = {"functions": rig.task.about, "left_out": rig.peers.left_out}
        for name in (name for name in MEASUREMENTS if name in options.names):
            found[name] = await MEASUREMENTS[name](rig, options.scale, with_prefix(report, name))
        if options.growth:
            progress = with_prefix(report, "growth")
            found["growth"] = await growth.measure(rig, options.scale, progress)
            found["crowds"] = await crowd.measure_growth(rig, options.scale, progress)
        if options.streams is not None:
            found["crowd"] = await crowd.Crowd(options.streams).measure(
                rig, with_prefix(report, "crowd")
            )
        return found
