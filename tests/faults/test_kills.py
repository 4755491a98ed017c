"""Functions that are killed under load lose no link, no usage and no reservation.

`make soak` sends more streams and kills more often.
"""

import asyncio
import hashlib
import os
import random
import time
from functools import partial

import httpx
import pytest
import pytest_asyncio

from infra.local.aws.resources import TABLE, queue_url
from infra.local.gateway import run_gateway
from infra.local.options import GatewayOptions, LocalKey
from infra.local.processes import Processes, kill
from infra.local.request_log import RequestLog
from infra.local.target_setup import build_target_setup
from tests.support.aws_clients import aws_client, aws_table
from tests.support.concurrency import IS_SOAK, MAX_POLL_SECONDS, ROUNDS
from tests.support.events import parse_events
from tests.support.limits import NANO

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(60 + 20 * ROUNDS)]

FUNCTION_SECONDS = 3  # the time limit of a function; behind it nothing can record an end
LEASE_SECONDS = 60  # of a reservation, behind that limit
CALLERS = 4 if IS_SOAK else 2
STREAMS = 8 * ROUNDS if IS_SOAK else 6  # each second one kills a function
EVENTS = 30  # in each stream
DOLLAR = 1_000_000  # for a million tokens
DOCUMENT = {
    "targets": {"simulated": {"provider": "openai", "models": ["sim-*"]}},
    "tenants": {"acme": {"budget_usd": 1e9, "streams": 1000}},
    "prices": {"sim-*": {"input": DOLLAR, "output": DOLLAR}},
}
CREATE = {
    "model": "sim-delay-10ms",
    "input": "x",
    "stream": True,
    "max_output_tokens": 500,
    "metadata": {"sim_events": str(EVENTS)},
}


class KillableProcesses(Processes):
    """Records the processes that run functions."""

    def __init__(self):
        super().__init__()
        self._functions = []

    async def start(self, *command, cwd, env, stdin, stdout):
        process = await super().start(*command, cwd=cwd, env=env, stdin=stdin, stdout=stdout)
        if "_HANDLER" in env:
            self._functions.append(process)
        return process

    def kill(self, choose=list):
        """End functions' processes as Lambda does, without a word to them."""
        for process in choose([each for each in self._functions if each.returncode is None]):
            kill(process)


class Rig:
    """A gateway with a budget, whose functions can be killed; reads its table past them."""

    def __init__(self, client, processes, aws):
        self.client, self.processes = client, processes
        self._table = aws_table(TABLE, aws)
        # So that messages of a killed function return soon.
        aws_client("sqs", endpoint=aws).set_queue_attributes(
            QueueUrl=queue_url(aws), Attributes={"VisibilityTimeout": str(FUNCTION_SECONDS)}
        )

    async def create(self, headers, on_events=lambda _: None):
        """Return the response, or None where its function was killed, and its events."""
        content = b""
        try:
            async with self.client.stream(
                "POST", "/responses", json=CREATE, headers=headers
            ) as got:
                on_events(0)
                async for chunk in got.aiter_raw():
                    content += chunk
                    on_events(content.count(b"\n\n"))
                return got, parse_events(content)
        except httpx.TransportError:
            return None, parse_events(content.rpartition(b"\n\n")[0])

    async def retry(self, headers):
        """Send the request again until it is answered."""
        while True:
            got, events = await self.create(headers)
            if got is not None and got.status_code == 200:
                return got, events
            await asyncio.sleep(MAX_POLL_SECONDS)

    def rows(self, sort):
        rows = self._table.scan()["Items"]
        return [row for row in rows if row["sk"] == sort and row["pk"].startswith("T#acme#")]

    async def wait_for_links(self):
        """All links, once each of them has its outcome."""
        while any(link["status"] != "completed" for link in self.rows("LINK")):  # noqa: ASYNC110
            await asyncio.sleep(MAX_POLL_SECONDS)
        return {link["id"]: link for link in self.rows("LINK")}

    async def wait_for_usage(self, requests):
        while True:
            total = (await self.client.get("/usage")).json()["total"]
            if total["requests"] >= requests:
                return total
            await asyncio.sleep(MAX_POLL_SECONDS)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def rig():
    processes = KillableProcesses()
    options = GatewayOptions(
        keys=[LocalKey("acme", "key-of-acme")],
        setup=build_target_setup(DOCUMENT, {}),
        simulated_models=["sim-delay-10ms"],
        env=os.environ,
        port=0,
        rest_port=0,
        concurrency=CALLERS,
        seconds=FUNCTION_SECONDS,
    )
    headers = {"authorization": "Bearer key-of-acme"}
    async with (
        run_gateway(options, processes, RequestLog(), lambda: None) as serves,
        httpx.AsyncClient(
            base_url=serves.url, headers=headers, trust_env=False, timeout=60
        ) as client,
    ):
        yield Rig(client, processes, serves.aws)


def response_id(events):
    return events[0]["response"]["id"] if events else None


def kill_after(count, kill):
    """A function that gets the number of events so far, and kills once."""
    kills = iter([kill])

    def on_events(number):
        if number >= count:
            next(kills, lambda: None)()

    return on_events


async def send_and_kill(rig, rng, number, seen):
    """Send a request; at some step of every second one kill one function, of whichever request.

    The first two of them kill all functions: so a stream that has a key is cut in any case, which
    its retry finds, and one without, which nobody finds but the function that polls it.
    """
    headers = {"idempotency-key": f"key-{number}"} if number % 4 < 2 else {}
    count = rng.randrange(EVENTS) if number % 2 else 2 * EVENTS
    kill_some = partial(rig.processes.kill, rng.choices)
    if number in {1, 3}:
        count, kill_some = number, rig.processes.kill
    got, events = await rig.create(headers, kill_after(count, kill_some))
    if got is None and events and headers:  # the link was written, so a retry finds it
        again, replayed = await rig.retry(headers)
        assert again.headers["x-antiphon-replayed"] == "true"
        assert response_id(replayed) == response_id(events)
    seen[number] = (response_id(events), got is None)


async def test_nothing_is_lost_that_has_a_link(rig):
    rng, numbers, seen = random.Random(11), iter(range(STREAMS)), {}

    async def call():
        for number in numbers:
            await send_and_kill(rig, rng, number, seen)

    await asyncio.gather(*(call() for _ in range(CALLERS)))
    links = await rig.wait_for_links()
    assert len(seen) == STREAMS
    assert seen[1][1]
    assert seen[3][1]
    assert {id for id, _ in seen.values()} - {None} <= links.keys()

    total = await rig.wait_for_usage(len(links))
    tokens = sum(link["usage"]["total_tokens"] for link in links.values())
    assert (total["requests"], total["completed"]) == (len(links), len(links))
    assert (total["total_tokens"], float(total["cost_usd"])) == (tokens, tokens)

    [row] = rig.rows("LIMITS")
    held = {name.removeprefix("held_"): row[name] for name in row if name.startswith("held_")}
    ids = {link["request_id"] for link in links.values()}
    assert not held.keys() & {hashlib.sha256(id.encode()).hexdigest()[:16] for id in ids}
    [spent] = [name for name in row if name.startswith("tenant_u")]
    assert row[spent] == tokens * NANO + sum(each["back"][spent] for each in held.values())
    assert row["tenant_n"] == len(held)
    latest = time.time() + FUNCTION_SECONDS + LEASE_SECONDS
    assert all(each["until"] <= latest for each in held.values())
