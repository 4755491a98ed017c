"""From the start of a process to the end of its first answer, and the memory it takes."""

import time
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from functools import partial
from typing import Any

from tests.bench import function, peer_process
from tests.bench.contestants import Contestant
from tests.bench.processor import cpu_seconds, resident_mb
from tests.bench.progress import Report
from tests.bench.request import WHOLE
from tests.bench.rig import NAIVE, OURS, RESTORED, Rig, player
from tests.bench.scale import Scale
from tests.bench.spread import median, spread

SNAP_START = {"AWS_LAMBDA_INITIALIZATION_TYPE": "snap-start"}
WARM_UP = 20  # calls before memory is looked at
FEWEST_STARTS = 5  # also where one contestant takes so long that the time for all of them is over

type Start = Callable[[], AbstractAsyncContextManager[Contestant]]


async def measure(rig: Rig, scale: Scale, report: Report) -> dict[str, Any]:
    """Milliseconds with .pyc files in place, and megabytes resident after a few calls."""
    place = (rig.provider, rig.folder)
    starts: dict[str, Start] = {
        NAIVE: partial(player, rig.processes, "naive", rig.provider),
        OURS: partial(function.started, rig.processes, rig.task, rig.env),
        RESTORED: partial(function.started, rig.processes, rig.task, rig.env | SNAP_START),
        **{
            name: partial(peer_process.started, rig.processes, program, *place)
            for name, program in rig.peers.programs.items()
        },
    }
    runs: dict[str, list[dict[str, float | None]]] = {name: [] for name in starts}
    ends_at = time.monotonic() + scale.seconds
    for number in range(scale.starts + 1):  # the first one may have to write .pyc files
        if number > FEWEST_STARTS and time.monotonic() > ends_at:
            break
        report(f"start {number} of {scale.starts}")
        for name, start in starts.items():
            runs[name].append(await _one(start))
    return {name: _row(some[1:]) for name, some in runs.items()}


async def _one(start: Start) -> dict[str, float | None]:
    begun = time.monotonic_ns()
    async with start() as contestant:
        answer = await contestant.ask(WHOLE)
        cpu = cpu_seconds(contestant.pid)
        if isinstance(contestant, function.Ours) and contestant.restored:
            begun, cpu = contestant.restored[0], None  # what came before it is in the snapshot
        for _ in range(WARM_UP):
            await contestant.ask(WHOLE)
        return {
            "ms": (answer.ended - begun) / 1e6,
            "cpu_ms": None if cpu is None else cpu * 1000,
            "rss_mb": resident_mb(contestant.pid),
        }


def _row(runs: list[dict[str, float | None]]) -> dict[str, Any]:
    return {
        "ms": spread([run["ms"] or 0 for run in runs]),
        "cpu_ms": median([run["cpu_ms"] for run in runs]),
        "rss_mb": median([run["rss_mb"] for run in runs]),
    }
