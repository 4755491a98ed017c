"""Every response that is left without an outcome is polled, whoever wrote its link."""

import time

import pytest

from antiphon.rollup.handler import StreamHandler
from antiphon.store.queue import MAX_DELAY_SECONDS, PollBatch, PollResponse
from tests.support import aws
from tests.support.dynamodb import EmbeddedStore

pytestmark = pytest.mark.usefixtures("cloud")

SECONDS = 300


@pytest.fixture
def later():
    """When the request that streams has ended in any case."""
    return int(time.time()) + SECONDS


@pytest.fixture
def rollup(cloud):
    return StreamHandler([], cloud.queue)


@pytest.fixture
def store():
    return EmbeddedStore()  # over the table of `cloud`


def put(store, /, **more):
    link = store.make_link(**{"status": "in_progress", **more})
    store.links.put(link)
    return link


def run(rollup, store):
    return rollup({"Records": store.stream_records()}, None)["batchItemFailures"]


def sent(cloud):
    return [(message.id, message.not_before, delay) for message, delay in cloud.sent]


def test_a_background_response_is_polled_at_once(cloud, rollup, store):
    link = put(store, status="queued", background=True)
    assert run(rollup, store) == []
    assert sent(cloud) == [(link.id, 0, 2)]


def test_what_a_webhook_is_to_report_is_polled_late_in_case_none_comes(cloud, store):
    background = put(store, status="queued", background=True)
    batch = put(store, kind="batch", status="validating")
    streamed, elsewhere = put(store), put(store, background=True, target="other")
    run(StreamHandler([], cloud.queue, reporting={background.target}), store)
    assert {message.id: delay for message, delay in cloud.sent} == {
        background.id: 128,
        batch.id: MAX_DELAY_SECONDS,
        streamed.id: 2,
        elsewhere.id: 2,
    }


def test_a_stream_is_polled_when_its_request_has_ended_in_any_case(cloud, rollup, store, later):
    soon, far = put(store, ends_by=later), put(store, ends_by=later + 2 * MAX_DELAY_SECONDS)
    run(rollup, store)
    (first, second) = sent(cloud)
    assert first[:2] == (soon.id, later)
    assert later - time.time() - 1 <= first[2] <= SECONDS
    assert second == (far.id, far.ends_by, MAX_DELAY_SECONDS)


@pytest.mark.parametrize(
    "more",
    [
        {"status": "completed"},
        {"status": "failed", "store": False},
        {"kind": "conversation", "status": "active"},
        {"kind": "compaction"},
    ],
)
def test_what_has_its_outcome_is_not_polled(cloud, rollup, store, more):
    put(store, **more)
    run(rollup, store)
    assert cloud.sent == []


@pytest.mark.parametrize("more", [{"status": "completed"}, {"unfinished": "given up: deleted"}])
def test_a_stream_that_ends_within_the_batch_costs_nothing(cloud, rollup, store, more, later):
    store.links.change(put(store, ends_by=later), **more)
    run(rollup, store)
    assert cloud.sent == []


@pytest.mark.parametrize("same_batch", [True, False])
@pytest.mark.parametrize("how", ["cut", "error"])
def test_a_cut_stream_is_polled_at_once(cloud, rollup, store, same_batch, how, later):
    link = put(store, ends_by=later)
    if not same_batch:
        run(rollup, store)
        cloud.sent.clear()
    store.links.change(link, unfinished=how)
    store.links.change(link, metadata={"a": "b"})
    run(rollup, store)
    assert sent(cloud) == [(link.id, 0, 2)]


def test_changes_of_a_response_that_is_polled_start_no_second_poll(cloud, rollup, store):
    link = put(store, status="queued", background=True)
    run(rollup, store)
    store.links.change(link, status="in_progress")
    store.links.change(link, metadata={"a": "b"})
    store.links.change(link, unfinished="given up: still running")
    store.delete_link(link)
    store.table.delete(f"T#acme#R#{link.id}", "LINK")
    run(rollup, store)
    assert len(cloud.sent) == 1


def test_a_response_that_is_not_stored_is_looked_at_when_its_request_has_ended(
    cloud, rollup, store, later
):
    link = put(store, store=False, ends_by=later)
    run(rollup, store)
    store.links.change(link, unfinished="cut")  # its request has counted it
    run(rollup, store)
    assert [message for message, _ in cloud.sent] == [
        PollResponse("acme", link.id, later, since=cloud.sent[0][0].since)
    ]


def test_without_the_queue_the_whole_batch_is_delivered_again(cloud, rollup, store):
    put(store, status="completed")
    link = put(store, status="queued")
    records = store.stream_records()
    cloud.fail(cloud.sqs, "SendMessage", aws.lose_response)
    first = records[0]["dynamodb"]["SequenceNumber"]
    assert rollup({"Records": records}, None) == {"batchItemFailures": [{"itemIdentifier": first}]}
    cloud.restore(cloud.sqs, "SendMessage")
    assert rollup({"Records": records}, None) == {"batchItemFailures": []}
    assert {message.id for message, _ in cloud.sent} == {link.id}


def test_records_before_a_failed_one_are_polled(cloud, store):
    def fail(change):
        if change.new.status == "failed":
            raise ValueError

    link = put(store, status="queued")
    put(store, status="failed")
    put(store, status="queued")
    records = store.stream_records()
    failed = StreamHandler([fail], cloud.queue)({"Records": records}, None)
    number = records[1]["dynamodb"]["SequenceNumber"]
    assert failed == {"batchItemFailures": [{"itemIdentifier": number}]}
    assert [message.id for message, _ in cloud.sent] == [link.id]


def test_a_new_batch_is_polled(cloud, rollup, store):
    link = put(store, kind="batch", status="validating")
    run(rollup, store)
    assert [(message, delay) for message, delay in cloud.sent] == [
        (PollBatch("acme", link.id, since=cloud.sent[0][0].since), 60)
    ]
    store.links.change(link, status="completed")
    run(rollup, store)
    assert len(cloud.sent) == 1
