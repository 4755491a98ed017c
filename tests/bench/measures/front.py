"""The same latencies through `antiphon local`: its HTTP front, one runtime, moto."""

from typing import Any

from tests.bench.gateway import running
from tests.bench.measures.latency import compared
from tests.bench.progress import Report
from tests.bench.rig import DIRECT, Rig
from tests.bench.scale import Scale

FRONT = "local front"


async def measure(rig: Rig, scale: Scale, report: Report) -> dict[str, Any]:
    """Milliseconds, as in `latency`; no part of it runs on AWS but the function."""
    report("starting antiphon local")
    async with running(rig, concurrency=1) as front:
        return await compared({**rig.some(DIRECT), FRONT: front}, scale, report)
