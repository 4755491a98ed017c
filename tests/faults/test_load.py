"""Many streams, some of them cut: each has its end, its link and its usage, and nothing grows.

In CI some seconds; with ANTIPHON_SOAK 12,000 streams at 20 a second, with a line of progress for
each 5 percent.
"""

import asyncio
import json
import os
import random
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import httpx2
import pytest

from tests.faults.cuts import STREAM, Cut, respond_with_cuts
from tests.support.concurrency import IS_SOAK, wait_for
from tests.support.events import make_event, make_response, new_id, parse_events
from tests.support.gateway import KEYS, NO_TLS

STREAMS = 12_000 if IS_SOAK else 120
PER_SECOND = 20
FAULTS = 0.02
DELTAS = 38
WARM_UP = STREAMS // 3  # streams after which nothing may grow
MAX_GROWTH_BYTES, MAX_GROWTH_FILES = 20_000_000, 4
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
TENANT = "umbra"  # whose usage no other test of this gateway changes
TERMINAL = {"response.completed", "response.failed"}


def make_long_events(id):
    deltas = [
        make_event("response.output_text.delta", n, item_id="msg_1", delta=f"word {n} ")
        for n in range(1, DELTAS + 1)
    ]
    first = make_event("response.created", 0, response=make_response(id, "in_progress"))
    last = make_event("response.completed", DELTAS + 1, response=make_response(id))
    return [first, *deltas, last]


SIZE = len(Cut("chunked", "FIN").wire(make_long_events(new_id()), STREAM))


def make_plan():
    """An id for each stream and where its answer is cut; most answers are whole."""
    plan = {}
    for _ in range(STREAMS):
        is_cut = random.random() < FAULTS
        ending = random.choice(["FIN", "RST", "garbage", "silence"])
        at = random.randrange(SIZE)
        plan[new_id()] = Cut("chunked", ending, at) if is_cut else Cut("chunked", "FIN", SIZE)
    return plan


@dataclass
class Resources:
    """Memory and open files of the largest of a gateway's runtime processes."""

    rss: int
    files: int

    @classmethod
    def of(cls, pid):
        rss = files = 0
        for process in _children(pid):
            rss = max(rss, int((process / "statm").read_text().split()[1]) * PAGE_BYTES)
            files = max(files, len(list((process / "fd").iterdir())))
        return cls(rss, files)


def _children(pid):
    for process in Path("/proc").glob("[0-9]*"):
        try:
            parent = int((process / "stat").read_text().rpartition(")")[2].split()[1])
            is_runtime = b"antiphon.runtime" in (process / "cmdline").read_bytes()
        except OSError:  # it has just ended
            continue
        if parent == pid and is_runtime:
            yield process


async def send(client, id, answers):
    body = {"model": "gpt-5", "input": id, "stream": True}
    answers[id] = await client.post("/responses", json=body)


async def run_load(gateway, plan, announce):
    """Send the streams at their times, however long each takes; return answers and resources."""
    loop, answers, resources = asyncio.get_running_loop(), {}, []
    headers = {"authorization": f"Bearer {KEYS[TENANT]}"}
    async with (
        httpx2.AsyncClient(
            base_url=gateway.url, headers=headers, timeout=60, trust_env=False, verify=NO_TLS
        ) as client,
        asyncio.TaskGroup() as running,
    ):
        started = loop.time()
        for number, id in enumerate(plan):
            await asyncio.sleep(started + number / PER_SECOND - loop.time())  # the load's own pace
            running.create_task(send(client, id, answers))
            if number in {WARM_UP, STREAMS - 1}:
                resources.append(Resources.of(gateway.pid))
            if number % (STREAMS // 20) == 0:
                announce(f"{number}/{STREAMS} streams sent, {len(answers)} ended")
    return answers, resources


def check_end(cut, got):
    """The kind of the end; an answer that has begun ends with one terminal event.

    What was not cut completes, unless a busy machine takes longer than this gateway waits.
    """
    if cut.at == SIZE and b"response.completed" not in got.content:
        assert b'"upstream_timeout"' in got.content, cut
    if got.status_code != 200:
        assert got.status_code in {502, 504}, cut
        assert got.headers["x-should-retry"] == "false", cut
        return "refused"
    types = [event["type"] for event in parse_events(got.content)]
    assert [type in TERMINAL for type in types] == [False] * (len(types) - 1) + [True], cut
    return types[-1]


@pytest.mark.timeout(1800)
async def test_under_load_nothing_is_lost(impatient, provider, capsys):
    plan = make_plan()
    respond_with_cuts(provider, plan, make_long_events, STREAM)

    def announce(line):
        if IS_SOAK:
            with capsys.disabled():
                print(line, flush=True)  # noqa: T201

    answers, (warm, last) = await run_load(impatient, plan, announce)
    ends = Counter(check_end(cut, answers[id]) for id, cut in plan.items())
    assert sum(ends.values()) == len(provider.received) == STREAMS
    begun = [id for id in plan if answers[id].status_code == 200]
    for id in begun:
        row = impatient.wait_for_row(f"T#{TENANT}#R#{id}", lambda row: row["status"] == "completed")
        assert row["usage"]["total_tokens"] == 7
    check_usage(impatient, len(begun))
    assert last.files <= warm.files + MAX_GROWTH_FILES
    assert last.rss <= warm.rss + MAX_GROWTH_BYTES


def check_usage(gateway, count):
    """The report has each response once, by the provider's figures; the rollup follows the links."""
    with gateway.client(key=TENANT) as client:
        total = wait_for(
            lambda: json.loads(client.get("/usage").content)["total"],
            lambda total: total["completed"] >= count,
        )
    figures = [total[name] for name in ("requests", "completed", "input_tokens", "output_tokens")]
    assert figures == [count, count, 3 * count, 4 * count]
