"""Many streams, some of them cut: each has its end, its link and its usage, and nothing grows.

In CI some seconds; with ANTIPHON_SOAK 12,000 streams at 20 a second, with a line of progress for
each 5 percent. ANTIPHON_SOAK_MINUTES and ANTIPHON_SOAK_PER_SECOND make it longer, or denser.
"""

import asyncio
import json
import os
import random
from collections import Counter

import httpx
import pytest

from tests.faults.cuts import STREAM, Cut, respond_with_cuts
from tests.support.concurrency import IS_SOAK, wait_for
from tests.support.events import make_event, make_response, new_id, parse_events
from tests.support.gateway import KEYS, NO_TLS, run_gateway
from tests.support.processes import Resources

MINUTES = float(os.environ.get("ANTIPHON_SOAK_MINUTES", "10"))
PER_SECOND = float(os.environ.get("ANTIPHON_SOAK_PER_SECOND", "20"))
STREAMS = round(60 * MINUTES * PER_SECOND) if IS_SOAK else 80
FAULTS = 0.02
DELTAS = 38
WARM_UP = min(STREAMS // 3, 4_000)  # streams after which nothing may grow
MAX_GROWTH_BYTES, MAX_GROWTH_FILES = 20_000_000, 4
PING = b": ping\n\n"
TERMINAL = {"response.completed", "response.failed"}
ENDS = {"completed", "refused", *TERMINAL}
REFUSALS = {(502, "false"), (504, "false")}
# Limits that no machine reaches by being busy, and that a silent provider reaches in the soak.
CONFIG = """
[gateway]
first_event_seconds = 15
idle_seconds = 15
table_seconds = 30
circuit_failures = 1000000

[targets.openai]
provider = "openai"
base_url = "{address}/v1"
models = ["gpt-*"]
"""
OPTIONS = ("--concurrency", "8" if IS_SOAK else "2", "--timeout", "120")


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
        ending = random.choice(["FIN", "RST", "garbage", *["silence"] * IS_SOAK])
        at = random.randrange(SIZE)
        plan[new_id()] = Cut("chunked", ending, at) if is_cut else Cut("chunked", "FIN", SIZE)
    return plan


@pytest.fixture
def patient(tmp_path, provider):
    """A gateway that waits for as long as a busy machine needs."""
    config = tmp_path / "gateway.toml"
    config.write_text(CONFIG.format(address=provider.address))
    credentials = {"ANTIPHON_SECRET_OPENAI": "credential"}
    ready = tmp_path / "ready.json"
    with run_gateway(config, ready, *OPTIONS, credentials=credentials) as running:
        yield running


async def send(client, id, answers):
    body = {"model": "gpt-5", "input": id, "stream": True}
    answers[id] = await client.post("/responses", json=body)


async def run_load(gateway, plan, announce):
    """Send the streams at their times, however long each takes; return answers and resources."""
    loop, answers, resources = asyncio.get_running_loop(), {}, []
    headers = {"authorization": f"Bearer {KEYS['acme']}"}
    # Those that wait for a busy machine may be many, and long: the test's own limit ends them.
    patience = {"timeout": None, "limits": httpx.Limits(max_connections=None)}
    async with (
        httpx.AsyncClient(
            base_url=gateway.url, headers=headers, trust_env=False, verify=NO_TLS, **patience
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


def end_of(id, cut, got):
    """The kind of an answer's end, or what is wrong with it."""
    content = got.content.replace(PING, b"")
    if cut.at == SIZE:
        is_whole = content == b"".join(make_long_events(id))
        return "completed" if is_whole else describe("not whole", id, cut, got)
    if got.status_code != 200:
        is_refusal = (got.status_code, got.headers["x-should-retry"]) in REFUSALS
        return "refused" if is_refusal else describe("not refused in order", id, cut, got)
    types = [event["type"] for event in parse_events(content)]
    is_ended = [type in TERMINAL for type in types] == [False] * (len(types) - 1) + [True]
    return types[-1] if is_ended else describe("not ended once", id, cut, got)


def describe(what, id, cut, got):
    """What a stream got, with the id by which the gateway's log has it."""
    request = got.headers.get("x-antiphon-request-id")
    seconds = got.elapsed.total_seconds()
    text = got.text if len(got.text) < 1_000 else f"…{got.text[-1_000:]}"
    return f"{what.upper()}: {id} {cut} {got.status_code} {seconds:.1f} s {request} {text}"


@pytest.mark.timeout(max(1800, 90 * MINUTES))
async def test_under_load_nothing_is_lost(patient, provider, capsys):
    plan = make_plan()
    respond_with_cuts(provider, plan, make_long_events, STREAM)

    def announce(line):
        if IS_SOAK:
            with capsys.disabled():
                print(line, flush=True)  # noqa: T201

    answers, (warm, last) = await run_load(patient, plan, announce)
    ends = Counter(end_of(id, cut, answers[id]) for id, cut in plan.items())
    wrong = [end for end in ends if end not in ENDS]
    assert not wrong, "\n".join([f"{len(wrong)} of {STREAMS} streams:", *wrong])
    assert sum(ends.values()) == len(provider.received) == STREAMS
    begun = [id for id in plan if answers[id].status_code == 200]
    for id in begun:
        row = patient.wait_for_row(f"T#acme#R#{id}", lambda row: row["status"] == "completed")
        assert row["usage"]["total_tokens"] == 7
    check_usage(patient, len(begun))
    assert last.files <= warm.files + MAX_GROWTH_FILES
    assert last.rss <= warm.rss + MAX_GROWTH_BYTES


def check_usage(gateway, count):
    """The report has each response once, by the provider's figures; the rollup follows the links."""
    with gateway.client() as client:
        total = wait_for(
            lambda: json.loads(client.get("/usage").content)["total"],
            lambda total: total["completed"] >= count,
        )
    figures = [total[name] for name in ("requests", "completed", "input_tokens", "output_tokens")]
    assert figures == [count, count, 3 * count, 4 * count]
