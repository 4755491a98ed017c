"""What a request costs as links, turns of a chain and targets become more: it must not grow."""

import asyncio
import json
import time
from typing import Any

import boto3

from infra.local.aws.resources import TABLE
from tests.bench.answer import Answer
from tests.bench.contestants import Contestant
from tests.bench.curves import Point, ask_all, cpu_ms_since, make_point, started
from tests.bench.measures import limited
from tests.bench.processor import cpu_seconds
from tests.bench.progress import Report
from tests.bench.request import WHOLE, Ask
from tests.bench.rig import Rig
from tests.bench.scale import Scale
from tests.support.aws_clients import LOCAL_AWS

FILL_SECONDS, CHAIN_SECONDS = 400.0, 100.0  # then the larger points of a curve are left out


async def measure(rig: Rig, scale: Scale, report: Report) -> dict[str, Any]:
    """Points of each curve: the number, milliseconds of CPU, and calls to AWS with their bytes."""
    async with started(rig, rig.aws, name_targets(1)) as ours:
        first = _id_of(await ours.ask(WHOLE))
        chain = await _chain(ours, first, scale, report)
        links = await _links(ours, rig.aws, first, scale, report)
    return {
        "links": links,
        "turns": chain,
        "targets": await _targets(rig, scale, report),
        "limited": await limited.measure(rig, scale, report),
    }


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
        answers = await ask_all(ours, [Ask(stream=False, previous=id)] * scale.growth_calls)
        points.append(make_point(number, *answers))
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
        points.append(make_point(number, answers, cpu_ms_since(ours, before)))
    return points


async def _targets(rig: Rig, scale: Scale, report: Report) -> list[Point]:
    """All of which serve the model, with the same priority."""
    points = []
    for number in scale.growth_targets:
        report(f"{number} targets")
        async with started(rig, rig.aws, name_targets(number)) as ours:
            await ask_all(ours, [WHOLE] * number)  # each target's credential is read once
            points.append(make_point(number, *await ask_all(ours, [WHOLE] * scale.growth_calls)))
    return points


def name_targets(number: int) -> list[str]:
    return ["openai", *(f"openai-{n}" for n in range(1, number))]


def _id_of(answer: Answer) -> str:
    return str(json.loads(answer.body)["id"])
