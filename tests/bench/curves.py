"""Points of a curve: what a request costs the function, and its calls to AWS, at one number.

The time of the embedded DynamoDB is not that of AWS. So the function's own processor time is
given, and the number and the bytes of its calls to AWS, which are the same there.
"""

from collections.abc import Iterator, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any

from tests.bench import function
from tests.bench.answer import Answer
from tests.bench.contestants import Contestant
from tests.bench.processor import cpu_seconds
from tests.bench.request import MODEL, Ask
from tests.bench.rig import Rig, timed_environment, write_config
from tests.bench.spread import median, spread

type Point = dict[str, Any]


def started(
    rig: Rig, aws: str, targets: Sequence[str]
) -> AbstractAsyncContextManager[function.Ours]:
    """A function of its own, whose targets all serve the model with the same priority."""
    section = {"provider": "openai", "base_url": f"{rig.provider}/v1", "models": [MODEL]}
    config = rig.folder / f"growth-{len(targets)}.json"
    write_config(config, dict.fromkeys(targets, section))
    return function.started(rig.processes, rig.task, timed_environment(rig.task, aws, config))


async def ask_all(ours: Contestant, asks: Sequence[Ask]) -> tuple[list[Answer], float | None]:
    """Return the answers, and the milliseconds of processor time for all of them."""
    before = cpu_seconds(ours.pid)
    answers = [await ours.ask(ask) for ask in asks]
    return answers, cpu_ms_since(ours, before)


def cpu_ms_since(ours: Contestant, before: float | None) -> float | None:
    after = cpu_seconds(ours.pid)
    return None if before is None or after is None else (after - before) * 1000


def make_point(number: int, answers: Sequence[Answer], cpu_ms: float | None) -> Point:
    return {
        "number": number,
        "cpu_ms": None if cpu_ms is None else round(cpu_ms / len(answers), 3),
        "aws_calls": median([answer.aws_calls for answer in answers]),
        "aws_bytes": median([answer.aws_bytes for answer in answers]),
        "ms": spread([answer.total_ms for answer in answers])["p50"],
    }


def largest_growth(points: Sequence[Point]) -> Iterator[tuple[str, float]]:
    """The last point's figures by those of the first, where there are both."""
    for name in ("aws_calls", "aws_bytes"):
        if len(points) > 1 and points[0][name]:
            yield name, round(points[-1][name] / points[0][name], 3)
