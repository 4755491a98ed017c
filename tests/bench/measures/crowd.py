"""Many streams at once through `antiphon local`, each with 20 events a second."""

import asyncio
import resource
from dataclasses import dataclass
from typing import Any

from tests.bench.answer import Answer
from tests.bench.contestants import Broken, Contestant, Peer
from tests.bench.gateway import running
from tests.bench.processor import available_mb
from tests.bench.progress import Report
from tests.bench.request import Ask, Headers
from tests.bench.rig import Rig
from tests.bench.scale import Scale
from tests.bench.spread import spread

ASK = Ask(deltas=60, pace_ms=50)
NOMINAL_MS = ASK.deltas * ASK.pace_ms
MOST_LAG_MS = 250  # p99
LONGEST_MS = NOMINAL_MS * 1.25  # p99
SECONDS_TO_BEGIN = 1.0  # over which the streams' beginnings are spread
RUNTIME_MB = 90  # of memory, at most
FILES = 4096


async def measure_growth(rig: Rig, scale: Scale, report: Report) -> list[dict[str, Any]]:
    """The same streams through one `antiphon local`, more of them at each point.

    Points for which the memory does not suffice are left out.
    """
    _allow_open_files()
    there = available_mb()
    numbers = [n for n in scale.growth_streams if there is None or n * RUNTIME_MB <= there]
    if not numbers:
        return []
    points = []
    async with running(rig, max(numbers)) as front:
        await front.ask(Ask())
        for number in numbers:
            report(f"{number} streams at once")
            points.append(await Crowd(number).stream(front.address))
    return points


@dataclass(frozen=True)
class Crowd:
    streams: int

    async def measure(self, rig: Rig, report: Report) -> dict[str, Any]:
        """Whether all of them arrive whole and in time; the provider alone is measured before."""
        needed, there = self.streams * RUNTIME_MB, available_mb()
        if there is not None and there < needed:
            return {"not_measured": f"{needed:,} MB are needed for it, {there:,.0f} are free."}
        _allow_open_files()
        report("the provider alone")
        direct = await self.stream(rig.provider)
        report(f"starting {self.streams} runtimes")
        async with running(rig, self.streams) as front:
            await front.ask(Ask())
            report(f"{self.streams} streams")
            found = {"direct": direct, "front": await self.stream(front.address)}
        for name in sorted(rig.streaming):
            report(f"{self.streams} streams of {name}")
            found[name] = await self._peer(rig.contestants[name])
        return found

    async def _peer(self, peer: Contestant) -> dict[str, Any]:
        """A peer that loses all of its streams is no reason to end the run."""
        if not isinstance(peer, Peer):
            raise TypeError(peer)
        try:
            return await self.stream(peer.address, peer.headers)
        except Broken:
            nothing = dict.fromkeys(("p50", "p99"))
            lost = {"streams": self.streams, "failed": self.streams, "good": False}
            return {**lost, "lag_ms": nothing, "total_ms": nothing}

    async def stream(self, address: str, headers: Headers = ()) -> dict[str, Any]:
        each = (self._one(address, headers, number) for number in range(self.streams))
        ended = await asyncio.gather(*each, return_exceptions=True)
        answers = [one for one in ended if isinstance(one, Answer)]
        failures = [one for one in ended if isinstance(one, BaseException)]
        return {"streams": self.streams, "failed": len(failures), **_judged(answers, failures)}

    async def _one(self, address: str, headers: Headers, number: int) -> Answer:
        await asyncio.sleep(number / self.streams * SECONDS_TO_BEGIN)
        peer = Peer(address, headers=headers)
        try:
            return await peer.ask(ASK)
        finally:
            peer.close()


def _judged(answers: list[Answer], failures: list[BaseException]) -> dict[str, Any]:
    if not answers:
        raise Broken(f"No stream arrived: {failures[0]!r}")
    lag = spread([delta.lag_ms for answer in answers for delta in answer.deltas()])
    total = spread([answer.total_ms for answer in answers])
    in_time = lag["p99"] < MOST_LAG_MS and total["p99"] < LONGEST_MS
    return {"lag_ms": lag, "total_ms": total, "good": in_time and not failures}


def _allow_open_files() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < FILES:
        most = FILES if hard == resource.RLIM_INFINITY else min(FILES, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
