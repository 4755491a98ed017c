"""Contestants have their turns one after the other, so that all meet the same noise."""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass, field

from tests.bench.answer import Answer
from tests.bench.contestants import Contestant
from tests.bench.processor import cpu_seconds
from tests.bench.progress import Report
from tests.bench.request import Ask

SECONDS_TO_SETTLE = 0.02  # what a peer does behind its answer is part of its work


@dataclass(frozen=True)
class Turns:
    """All answers of one contestant, and the CPU time of each turn for each call."""

    answers: list[Answer] = field(default_factory=list)
    cpu_ms: list[float | None] = field(default_factory=list)


@dataclass(frozen=True)
class Course:
    """What is sent, how often in a turn, and for how many rounds, if there is time for them."""

    ask: Ask
    calls: int
    rounds: int
    seconds: float


async def run(
    contestants: Mapping[str, Contestant], course: Course, report: Report
) -> dict[str, Turns]:
    """Every other round goes backwards; one round before them warms everything, and does not count."""
    taken = {name: Turns() for name in contestants}
    names, ends_at = list(contestants), time.monotonic() + course.seconds
    for number in range(course.rounds + 1):
        if number > 1 and time.monotonic() > ends_at:
            break
        report(f"round {number} of {course.rounds}")
        for name in names if number % 2 else reversed(names):
            turn = await _turn(contestants[name], course)
            if number:
                taken[name].answers.extend(turn.answers)
                taken[name].cpu_ms.extend(turn.cpu_ms)
    return taken


async def _turn(contestant: Contestant, course: Course) -> Turns:
    before = cpu_seconds(contestant.pid)
    answers = [await contestant.ask(course.ask) for _ in range(course.calls)]
    await asyncio.sleep(SECONDS_TO_SETTLE)
    after = cpu_seconds(contestant.pid)
    spent = None if before is None or after is None else (after - before) * 1000 / course.calls
    return Turns(answers, [spent])
