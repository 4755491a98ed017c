"""How much later an answer comes than from the provider itself, one call at a time."""

from collections.abc import Callable, Mapping
from typing import Any

from tests.bench import peer_programs
from tests.bench.answer import Answer
from tests.bench.contestants import Contestant
from tests.bench.progress import Report, with_prefix
from tests.bench.request import EMPTY, WHOLE, Ask
from tests.bench.rig import DIRECT, FLOOR, MOTO, NAIVE, OURS, WITHOUT_TABLE, Rig
from tests.bench.scale import Scale
from tests.bench.spread import added, median, spread
from tests.bench.turns import Course, Turns, run

NAMES = (DIRECT, FLOOR, NAIVE, OURS, WITHOUT_TABLE, MOTO)
KINDS: Mapping[str, tuple[Any, Callable[[Answer], float]]] = {
    "not_streamed": (WHOLE, lambda answer: answer.total_ms),
    "first_event": (EMPTY, lambda answer: answer.first_ms),
}


async def measure(rig: Rig, scale: Scale, report: Report) -> dict[str, Any]:
    """Milliseconds until the end of a whole answer, and until the first event of a stream."""
    return await compared(rig.some(*NAMES, *rig.peers.programs), scale, report, rig.streaming)


async def compared(
    contestants: Mapping[str, Contestant],
    scale: Scale,
    report: Report,
    streaming: frozenset[str] = frozenset(),
) -> dict[str, Any]:
    """The first is what the others are compared with; `streaming` are the peers that stream."""
    found: dict[str, Any] = {}
    for kind, (ask, ms) in KINDS.items():
        course = Course(ask, scale.calls, scale.rounds, scale.seconds)
        some = {n: one for n, one in contestants.items() if _takes(n, ask, streaming)}
        turns = await run(some, course, with_prefix(report, kind))
        found[kind] = _rows(turns, ms)
    return found


def _takes(name: str, ask: Ask, streaming: frozenset[str]) -> bool:
    return not ask.stream or name not in peer_programs.ABOUT or name in streaming


def _rows(turns: Mapping[str, Turns], ms: Callable[[Answer], float]) -> dict[str, Any]:
    spreads = {name: spread([ms(answer) for answer in t.answers]) for name, t in turns.items()}
    least = spreads[next(iter(spreads))]
    return {
        name: {
            "ms": spreads[name],
            "added_ms": added(spreads[name], least),
            "cpu_ms": median(turns[name].cpu_ms),
        }
        for name in turns
    }
