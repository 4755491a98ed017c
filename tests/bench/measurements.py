"""Everything that can be measured, in the order in which it is."""

from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

from tests.bench.measures import asset, front, latency, paced, planning, start
from tests.bench.measures.crowd import Crowd
from tests.bench.rig import Rig, rigged
from tests.bench.scale import Scale
from tests.bench.telling import Tell, under

type Measure = Callable[[Rig, Scale, Tell], Awaitable[dict[str, Any]]]

MEASUREMENTS: Mapping[str, Measure] = {
    "planning": planning.measure,
    "latency": latency.measure,
    "paced": paced.measure,
    "start": start.measure,
    "front": front.measure,
    "asset": asset.measure,
}


@dataclass(frozen=True)
class Wish:
    """What is to be measured, and how."""

    names: Collection[str]
    scale: Scale
    streams: int | None = None  # so many at once
    from_source: bool = False


async def run(wish: Wish, tell: Tell) -> dict[str, Any]:
    """The results by measurement; `functions` tells what the function was started from."""
    async with rigged(tell, from_source=wish.from_source) as rig:
        found: dict[str, Any] = {"functions": rig.task.about}
        for name in (name for name in MEASUREMENTS if name in wish.names):
            found[name] = await MEASUREMENTS[name](rig, wish.scale, under(tell, name))
        if wish.streams is not None:
            found["crowd"] = await Crowd(wish.streams).measure(rig, under(tell, "crowd"))
        return found
