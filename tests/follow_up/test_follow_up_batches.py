"""Batches are polled to their end; what they have used is counted once."""

import json
from dataclasses import replace

import pytest

from antiphon.follow_up import MAX_BATCH_SECONDS
from antiphon.store.queue import MAX_DELAY_SECONDS, PollBatch
from tests.support.follow_up import LINK, NOW, USAGE, make_follow_up, run_follow_up
from tests.support.provider import encode_response
from tests.support.upstream import plain_transport

BATCH = replace(LINK, id="batch_1", kind="batch", status="validating", root="batch_1")
POLL = PollBatch("acme", "batch_1", since=NOW)
ENDED = {"id": "batch_1", "status": "completed", "model": "gpt-5", "usage": USAGE}


@pytest.fixture
def follow_up(cloud, provider):
    with plain_transport() as client:
        made = make_follow_up(cloud, provider.address, client)
        made.links.put(BATCH)
        yield made


def row(follow_up, kind, id):
    return follow_up.links.find(kind, "acme", id)


def provider_has(provider, **batch):
    provider.respond_to_settle("batch_1", encode_response(json.dumps(batch).encode()))


@pytest.mark.parametrize("status", ["completed", "failed", "expired", "cancelled", "Cancelled"])
def test_an_ended_batch_is_counted_once_and_its_results_are_owned(follow_up, provider, status):
    for _ in range(2):
        provider_has(
            provider,
            **{
                **ENDED,
                "status": status,
                "output_file_id": "file-out",
                "error_file_id": "file-err",
            },
        )
        run_follow_up(follow_up, POLL)
    assert row(follow_up, "batch", "batch_1").status == status.lower()
    usage = row(follow_up, "compaction", "batch_1")
    assert (usage.usage, usage.model, usage.service_tier) == (USAGE, "gpt-5", "batch")
    for id in ("file-out", "file-err"):
        link = row(follow_up, "file", id)
        assert (link.target, link.key_id) == (BATCH.target, BATCH.key_id)
    assert len(provider.settle_requests("batch_1")) == 1


def test_a_batch_that_runs_is_polled_less_and_less_often(cloud, follow_up, provider):
    provider_has(provider, id="batch_1", status="in_progress")
    run_follow_up(follow_up, POLL)
    assert cloud.sent == [(POLL.next_attempt(), 120)]
    assert replace(POLL, attempt=99).delay_at(NOW) == MAX_DELAY_SECONDS


@pytest.mark.parametrize("answer", [b'{"error":{}}', b"{}", b'{"id":"batch_2"}'])
def test_a_poll_that_fails_is_repeated_until_the_batch_is_too_old(
    cloud, follow_up, provider, answer
):
    status = 500 if b"error" in answer else 200
    for _ in range(2):
        provider.respond_to_settle("batch_1", encode_response(answer, status=status))
    run_follow_up(follow_up, POLL)
    assert [message for message, _ in cloud.sent] == [POLL.next_attempt()]
    run_follow_up(follow_up, replace(POLL, since=NOW - MAX_BATCH_SECONDS - 60))
    assert len(cloud.sent) == 1
    assert row(follow_up, "batch", "batch_1").status == "validating"


def test_a_deleted_or_unknown_batch_is_not_polled(cloud, follow_up, provider):
    run_follow_up(follow_up, PollBatch("umbra", "batch_1", since=NOW))
    assert (cloud.sent, provider.settle_requests("batch_1")) == ([], [])
