"""Faults of the provider, the network and AWS at once, by chance: nothing is lost or paid twice.

A seed repeats its calls and faults: `ANTIPHON_CHAOS=7 pytest tests/faults/test_chaos.py`. Five seeds
of 1,000 calls in the soak.
"""

import os
import random
from dataclasses import dataclass

import pytest

from tests.faults.aws_matrix import CALLS, COST, Call, Sent, Step, run_rig
from tests.faults.aws_proxy import FAULTS, HANGING
from tests.faults.cuts import ENDINGS
from tests.faults.tcp_shim import HEALTHY, Toxic
from tests.support.concurrency import IS_SOAK, wait_for
from tests.support.events import parse_events
from tests.support.provider import encode_response

COUNT = 1_000 if IS_SOAK else 24
DEFAULT = range(5) if IS_SOAK else [None]  # another one in each run
SEEDS = [int(seed) for seed in os.environ.get("ANTIPHON_CHAOS", "").split(",") if seed] or DEFAULT
OPERATIONS = ("GetItem", "BatchGetItem", "PutItem", "UpdateItem", "BatchWriteItem")
QUICK_FAULTS = sorted({*FAULTS} - HANGING)  # those that hang have a test of their own
STATUSES = (400, 401, 404, 408, 429, 500, 502, 503, 504, 524, 529)
TERMINAL = {"response.completed", "response.failed"}


@dataclass(frozen=True)
class Plan:
    """One call and its faults."""

    name: str
    toxic: Toxic = HEALTHY
    step: Step | None = None  # the call of AWS from which on its operation fails
    fault: str = ""
    status: int | None = None  # of the provider's refusal
    ending: str | None = None  # how the provider's answer is cut
    at: float = 1.0  # the part of it that is sent

    @property
    def call(self) -> Call:
        return CALLS[self.name]

    @property
    def is_whole(self) -> bool:
        """Whether the provider does what it is asked to do, and its whole answer arrives."""
        return self.status is None and self.ending is None

    def shape(self, answer):
        if self.status is not None:
            return (encode_response(b'{"error": {"message": "m"}}', status=self.status),)
        if self.ending is None:
            return (answer,)
        return answer[: int(len(answer) * self.at)], *ENDINGS[self.ending]


def make_plan(chance):
    plan = {"name": chance.choice([*CALLS, *["create", "stream", "compact"] * 5])}
    if chance.random() < 0.3:
        plan["toxic"] = Toxic(
            latency_seconds=chance.choice([0, 0.002]), slice_bytes=chance.choice([1, 7, 100])
        )
    if chance.random() < 0.4:
        plan["step"] = Step(chance.choice(OPERATIONS), chance.randrange(3))
        plan["fault"] = chance.choice(QUICK_FAULTS)
    if chance.random() < 0.2:
        plan["status"] = chance.choice(STATUSES)
    elif chance.random() < 0.3:
        plan["ending"], plan["at"] = chance.choice(["FIN", "RST", "garbage"]), chance.random()
    return Plan(**plan)


@pytest.fixture(scope="module")
def rig(impatient, _provider, shim, tmp_path_factory):
    folder = tmp_path_factory.mktemp("chaos")
    with run_rig(impatient, _provider, folder, 3, address=shim.address) as running:
        yield running


def send(rig, shim, plan) -> Sent:
    shim.toxic, rig.shape = plan.toxic, plan.shape
    try:
        if plan.step is None:
            return rig.send(plan.call)
        return rig.send_with(plan.call, plan.step, plan.fault)
    finally:
        shim.toxic = HEALTHY


def wrong_at_once(plan, sent):
    """What the caller must not see, by the time that its response has ended."""
    is_done = sent.was_done and plan.status is None
    if is_done and sent.invites_retry:
        yield "invites a retry of what was done"
    if plan.name == "stream" and sent.response.status == 200:
        types = [event["type"] for event in parse_events(sent.response.body)]
        if [type in TERMINAL for type in types] != [False] * (len(types) - 1) + [True]:
            yield f"a stream without one end: {types}"


def wrong_in_the_end(rig, plan, sent):
    """What is lost: an id without an owner, a reservation, the cost of what was done."""
    if unowned := rig.unowned_ids(sent):
        yield f"unowned: {unowned}"
    dollars, in_flight = rig.counted(sent)
    if in_flight:
        yield "still in flight"
    if plan.call.is_paid and sent.was_done and plan.is_whole and dollars != COST:
        yield f"whole, and costs {dollars}"
    if dollars and not sent.was_done:
        yield f"never done, and costs {dollars}"


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.usefixtures("provider")
def test_no_mixture_of_faults_loses_anything(rig, shim, seed):
    seed = random.getrandbits(20) if seed is None else seed
    print(f"ANTIPHON_CHAOS={seed}")  # noqa: T201  shown where the test fails
    chance = random.Random(seed)
    plans = [make_plan(chance) for _ in range(COUNT)]
    sent = [(plan, send(rig, shim, plan)) for plan in plans]
    at_once = [(plan, list(wrong_at_once(plan, one))) for plan, one in sent]
    assert [found for found in at_once if found[1]] == []

    def look():
        found = [(plan, list(wrong_in_the_end(rig, plan, one))) for plan, one in sent]
        return [each for each in found if each[1]]

    wait_for(look, lambda found: not found)  # for the queue
