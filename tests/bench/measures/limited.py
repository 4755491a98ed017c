"""What a limited request costs while others of the same key are in flight: it must not grow.

The others are admitted here, by the code that admits them in the function, and never end: so many
environments as requests would be needed to let them run.
"""

import asyncio
from typing import Any

import boto3

from antiphon.auth import Caller
from antiphon.errors import Unavailable
from antiphon.http import Request
from antiphon.limits.admission import Admission
from antiphon.pricing import Prices
from antiphon.schema.create import CreateResponse
from antiphon.settings.config import Limits, parse_config
from antiphon.store.dynamodb import Table
from antiphon.store.keys import key_row
from antiphon.store.queue import Queue
from infra.local.aws.resources import TABLE
from tests.bench.curves import Point, ask_all, make_point, started
from tests.bench.progress import Report
from tests.bench.request import KEY, MODEL, WHOLE
from tests.bench.rig import Rig
from tests.bench.scale import Scale
from tests.support.aws_clients import LOCAL_AWS

TENANT = "limited"
NO_LIMIT_IS_REACHED = Limits(rpm=10**9, tpm=10**12, streams=10**6, budget_usd=10**6)
CONFIG = {"targets": {"openai": {"provider": "openai", "models": [MODEL]}}}


async def measure(rig: Rig, scale: Scale, report: Report) -> list[Point]:
    """One point for each number of requests in flight; the measured one comes on top."""
    table = Table(boto3.client("dynamodb", endpoint_url=rig.aws, **LOCAL_AWS), TABLE)
    caller = await asyncio.to_thread(_limit_key, table)
    points, in_flight = [], 0
    async with started(rig, rig.aws, ["openai"]) as ours:
        await ours.ask(WHOLE)  # the key is read once
        for number in scale.growth_limited:
            report(f"{number:,} limited requests in flight")
            await asyncio.to_thread(_admit, table, caller, range(in_flight, number))
            in_flight = number
            points.append(make_point(number, *await ask_all(ours, [WHOLE] * scale.growth_calls)))
    return points


def _limit_key(table: Table) -> Caller:
    """Give the key of the bench limits, and a tenant of its own."""
    row = key_row(KEY, TENANT, limits=NO_LIMIT_IS_REACHED.model_dump(exclude_defaults=True))
    table.put(row)
    return Caller(TENANT, row["id"], None, NO_LIMIT_IS_REACHED)


def _admit(table: Table, caller: Caller, numbers: range) -> None:
    queue = Queue(_no_queue, "")
    admission = Admission.from_config(table, queue, Prices({}), parse_config(CONFIG))
    body = CreateResponse.parse(WHOLE.body)
    for number in numbers:
        admission.admit(body, caller, Request(f"in-flight-{number}", "POST", body=WHOLE.body))


def _no_queue() -> Any:
    raise Unavailable("A request that never ends needs no queue.")
