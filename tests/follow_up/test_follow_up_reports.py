"""What a provider has reported as ended is polled at once, beside its other polls."""

import json
from dataclasses import replace

import pytest

from antiphon.follow_up import MAX_REPORTED_POLLS
from antiphon.store.queue import PollReported
from tests.support.events import make_response
from tests.support.follow_up import LINK, NOW, USAGE, make_follow_up, run_follow_up
from tests.support.provider import encode_response
from tests.support.upstream import plain_transport

REPORTED = PollReported("acme", "resp_1", "response", since=NOW)
BATCH = replace(LINK, id="batch_1", kind="batch", status="validating", root="batch_1")
OF_BATCH = PollReported("acme", "batch_1", "batch", since=NOW)


@pytest.fixture
def follow_up(cloud, provider):
    with plain_transport() as client:
        made = make_follow_up(cloud, provider.address, client)
        made.links.put(LINK)
        made.links.put(BATCH)
        yield made


def encode(document):
    return encode_response(json.dumps(document).encode())


def test_an_end_is_recorded_once_however_often_it_is_reported(cloud, follow_up, provider):
    provider.respond_to_settle("resp_1", encode(make_response("resp_1")))
    for _ in range(2):
        run_follow_up(follow_up, REPORTED)
    row = cloud.row("resp_1")
    assert (row["status"], row["usage"]) == ("completed", USAGE)
    assert len(provider.settle_requests("resp_1")) == 1
    assert cloud.sent == []


def test_the_end_of_a_batch_is_recorded_once(cloud, follow_up, provider):
    provider.respond_to_settle("batch_1", encode({"id": "batch_1", "status": "failed"}))
    for _ in range(2):
        run_follow_up(follow_up, OF_BATCH)
    assert follow_up.links.get("batch", "acme", "batch_1").status == "failed"
    assert (len(provider.settle_requests("batch_1")), cloud.sent) == (1, [])


def test_what_does_not_show_its_end_yet_is_looked_at_a_few_times(cloud, follow_up, provider):
    message, delays = REPORTED, []
    while message is not None:
        provider.respond_to_settle("resp_1", encode(make_response("resp_1", "in_progress")))
        cloud.sent.clear()
        run_follow_up(follow_up, message)
        message, delay = cloud.sent[0] if cloud.sent else (None, None)
        delays.append(delay)
    assert delays == [4, 8, 16, None]
    assert len(provider.settle_requests("resp_1")) == MAX_REPORTED_POLLS
    assert cloud.row("resp_1")["status"] == "in_progress"  # its other polls go on


@pytest.mark.parametrize(
    "reported",
    [replace(REPORTED, tenant="umbra"), replace(REPORTED, id="resp_2"), replace(OF_BATCH, id="x")],
)
def test_what_has_no_link_is_not_polled(cloud, follow_up, provider, reported):
    run_follow_up(follow_up, reported)
    assert (provider.received, provider.settle_requests(""), cloud.sent) == ([], [], [])
