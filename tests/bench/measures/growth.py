"""What a request costs as links, turns of a chain and targets become more: it must not grow.

The time of the embedded DynamoDB is not that of AWS. So the function's own processor time is
given, and the number and the bytes of its calls to AWS, which are the same there.
"""

import asyncio
import json
import time
from collections.abc import Iterator, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any

import boto3

from infra.local.aws.resources import TABLE
from tests.bench import function
from tests.bench.answer import Answer
from tests.bench.contestants import Contestant
from tests.bench.processor import cpu_seconds
from tests.bench.progress import Report
from tests.bench.request import MODEL, WHOLE, Ask
from tests.bench.rig import Rig, moto, timed_environment, write_config
from tests.bench.scale import Scale
from tests.bench.spread import median, spread
from tests.support.aws import LOCAL_AWS

FILL_SECONDS, CHAIN_SECONDS = 400.0, 100.0  # then the larger points of a curve are left out

type Point = dict[str, Any]


async def measure(rig: Rig, scale: Scale, report: Report) -> dict[str, Any]:
    """Points of each curve: the number, milliseconds of CPU, and calls to AWS with their bytes."""
    aws = await moto(rig.processes, _names(max(scale.growth_targets)))
    async with _started(rig, aws, 1) as ours:
        first = _id_of(await ours.ask(WHOLE))
        chain = await _chain(ours, first, scale, report)
        links = await _links(ours, aws, first, scale, report)
    return {"links": links, "turns": chain, "targets": await _targets(rig, aws, scale, report)}


async def _links(ours: Contestant, aws: str, id: str, scale: Scale, report: Report) -> list[Point]:
    """Of a tenant who has so many others already: one response is continued."""
    table = boto3.resource("dynamodb", endpoint_url=aws, **LOCAL_AWS).Table(TABLE)
    row = table.get_item(Key={"pk": f"T#bench#R#{id}", "sk": "LINK"})["Item"]
    points, there, ends_at = [], 0, time.monotonic() + FILL_SECONDS
    for number in scale.growth_links:
        report(f"{number:,} links")
        there = await asyncio.to_thread(_fill, table, row, (there, number), ends_at)
        if there < number:
            break
        answers = await _asked(ours, [Ask(stream=False, previous=id)] * scale.growth_calls)
        points.append(_point(number, *answers))
    return points


def _fill(table: Any, row: dict[str, Any], span: tuple[int, int], ends_at: float) -> int:
    """Copy the row until there are so many; return how many there are when the time is over."""
    begin, end = span
    with table.batch_writer() as batch:
        for number in range(begin, end):
            if time.monotonic() > ends_at:
                return number
            id = f"resp_{number:047x}f"
            batch.put_item(Item={**row, "pk": f"T#bench#R#{id}", "id": id})
    return end


async def _chain(ours: Contestant, previous: str, scale: Scale, report: Report) -> list[Point]:
    """Turns, each of which continues the one before; the last ones before each point count."""
    points, turns = [], 1
    ends_at = time.monotonic() + CHAIN_SECONDS
    for number in scale.growth_turns:
        report(f"a chain of {number:,} turns")
        while turns < number - scale.growth_calls and time.monotonic() < ends_at:
            previous, turns = (
                _id_of(await ours.ask(Ask(stream=False, previous=previous))),
                turns + 1,
            )
        if time.monotonic() > ends_at:
            break
        before, answers = cpu_seconds(ours.pid), []
        while turns < number or not answers:
            answers.append(await ours.ask(Ask(stream=False, previous=previous)))
            previous, turns = _id_of(answers[-1]), turns + 1
        points.append(_point(number, answers, _since(ours, before)))
    return points


async def _targets(rig: Rig, aws: str, scale: Scale, report: Report) -> list[Point]:
    """All of which serve the model, with the same priority."""
    points = []
    for number in scale.growth_targets:
        report(f"{number} targets")
        async with _started(rig, aws, number) as ours:
            await _asked(ours, [WHOLE] * number)  # each target's credential is read once
            points.append(_point(number, *await _asked(ours, [WHOLE] * scale.growth_calls)))
    return points


def _started(rig: Rig, aws: str, targets: int) -> AbstractAsyncContextManager[function.Ours]:
    section = {"provider": "openai", "base_url": f"{rig.provider}/v1", "models": [MODEL]}
    config = rig.folder / f"growth-{targets}.json"
    write_config(config, dict.fromkeys(_names(targets), section))
    return function.started(rig.processes, rig.task, timed_environment(rig.task, aws, config))


def _names(number: int) -> list[str]:
    return ["openai", *(f"openai-{n}" for n in range(1, number))]


async def _asked(ours: Contestant, asks: Sequence[Ask]) -> tuple[list[Answer], float | None]:
    before = cpu_seconds(ours.pid)
    answers = [await ours.ask(ask) for ask in asks]
    return answers, _since(ours, before)


def _since(ours: Contestant, before: float | None) -> float | None:
    after = cpu_seconds(ours.pid)
    return None if before is None or after is None else (after - before) * 1000


def _id_of(answer: Answer) -> str:
    return str(json.loads(answer.body)["id"])


def _point(number: int, answers: Sequence[Answer], cpu_ms: float | None) -> Point:
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
