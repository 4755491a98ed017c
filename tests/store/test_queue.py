"""Links come late rather than never; what a message says is what was put in it."""

import json
import time
from dataclasses import replace

import pytest

from antiphon.errors import Unavailable
from antiphon.recording.tracker import DurableLinks
from antiphon.store.links import Link, Links
from antiphon.store.queue import DeferredWrite, PollResponse, Queue, decode_message, encode_message
from tests.support import aws

LINK = Link(
    id="resp_1",
    tenant="acme",
    key_id="key_1",
    request_id="r-1",
    target="openai",
    root="resp_1",
    status="in_progress",
    created_ms=1_000,
    expires_at=9_999_999_999,
    metadata={"team": "blue"},
)
DONE = {"status": "completed", "usage": {"input_tokens": 3, "cost": 0.25}, "completed_at": 7}


@pytest.fixture
def cloud():
    with aws.fake_aws() as made:
        yield made


@pytest.fixture
def links(cloud):
    return DurableLinks(cloud.table, cloud.queue)


def test_a_message_comes_out_as_it_went_in():
    follow = PollResponse("acme", "resp_1", since=5, attempt=3)
    row = DeferredWrite(LINK, DONE, since=5)
    assert [decode_message(encode_message(message)) for message in (follow, row)] == [follow, row]
    told = {"kind": "follow", "tenant": "acme", "id": "resp_1", "since": 5, "attempt": 3}
    assert json.loads(encode_message(follow)) == told


@pytest.mark.parametrize("body", ["", "{}", '{"kind":"other"}', '{"kind":"follow","id":"x"}'])
def test_what_is_no_message_is_refused(body):
    with pytest.raises((ValueError, KeyError, TypeError)):
        decode_message(body)


def test_each_try_waits_twice_as_long_until_it_is_every_five_minutes():
    message = PollResponse("acme", "resp_1", since=5)
    delays = []
    for _ in range(400):
        delays.append(message.delay)
        message = message.again()
    assert delays[:9] == [2, 4, 8, 16, 32, 64, 128, 256, 300]
    assert delays[-1] == 300
    assert message.since == 5


def test_no_client_is_made_before_there_is_something_to_send(cloud):
    made = []
    Queue(lambda: made.append(cloud.sqs) or cloud.sqs, "https://sqs/queue")
    assert made == []


@pytest.mark.parametrize("fault", [aws.refuse_connection, aws.lose_response])
def test_a_queue_that_fails_is_unavailable(cloud, fault):
    cloud.fail(cloud.sqs, "SendMessage", fault)
    with pytest.raises(Unavailable):
        cloud.queue.send(PollResponse("acme", "resp_1"))


def test_links_that_can_be_written_leave_the_queue_alone(cloud, links):
    links.put(LINK)
    links.change(LINK, **DONE)
    assert cloud.sent == []
    assert cloud.row("resp_1")["status"] == "completed"


@pytest.mark.parametrize("fault", [aws.refuse_connection, aws.lose_response])
def test_a_link_that_cannot_be_written_goes_to_the_queue(cloud, links, fault):
    cloud.fail(cloud.dynamodb, "PutItem", fault)
    before = int(time.time())
    links.put(LINK)
    [(row, delay)] = cloud.sent
    assert row == DeferredWrite(LINK, since=row.since)
    assert row.since >= before
    assert delay == 2
    assert (links.get("response", "acme", "resp_1") is None) == (fault is aws.refuse_connection)


def test_a_link_that_nobody_takes_is_told_of(cloud, links):
    cloud.fail(cloud.dynamodb, "PutItem")
    cloud.fail(cloud.sqs, "SendMessage")
    with pytest.raises(Unavailable):
        links.put(LINK)


def test_the_outcome_of_a_late_link_waits_behind_it(cloud, links):
    """Else it would find no row to change, and be lost."""
    cloud.fail(cloud.dynamodb, "PutItem")
    links.put(LINK)
    cloud.restore(cloud.dynamodb, "PutItem")
    links.change(LINK, **DONE)
    assert [message.changes for message, _ in cloud.sent] == [{}, DONE]
    assert cloud.row("resp_1") is None


def test_the_link_of_the_next_request_is_not_late(cloud, links):
    cloud.fail(cloud.dynamodb, "PutItem")
    links.put(LINK)
    cloud.restore(cloud.dynamodb, "PutItem")
    other = replace(LINK, id="resp_2", request_id="r-2")
    links.put(other)
    links.change(other, **DONE)
    assert len(cloud.sent) == 1
    assert cloud.row("resp_2")["status"] == "completed"


def test_an_outcome_that_cannot_be_written_goes_to_the_queue(cloud, links):
    links.put(LINK)
    cloud.fail(cloud.dynamodb, "UpdateItem")
    links.change(LINK, **DONE)
    assert [message.changes for message, _ in cloud.sent] == [DONE]


def test_a_deletion_that_cannot_be_marked_goes_to_the_queue(cloud, links):
    links.put(LINK)
    cloud.fail(cloud.dynamodb, "UpdateItem")
    links.mark_deleted(LINK)
    assert [list(message.changes) for message, _ in cloud.sent] == [["deleted_at"]]


@pytest.mark.parametrize(
    "link",
    [
        replace(LINK, store=False),
        replace(LINK, status="completed"),
        replace(LINK, unfinished="gone"),
        replace(LINK, unfinished="given up: still running"),
        replace(LINK, deleted_at=5),
        replace(LINK, kind="conversation", status="active"),
    ],
)
def test_nothing_is_followed_that_has_no_end_to_come(cloud, links, link):
    links.follow(link)
    assert cloud.sent == []


def test_a_pending_response_is_followed(cloud, links):
    links.follow(replace(LINK, unfinished="cut"))
    assert [(m.id, delay) for m, delay in cloud.sent] == [("resp_1", 2)]


def test_a_late_link_is_followed_from_when_it_is_written(cloud, links):
    cloud.fail(cloud.dynamodb, "PutItem")
    links.put(LINK)
    links.follow(LINK)
    assert [type(message) for message, _ in cloud.sent] == [DeferredWrite]


def test_that_it_cannot_be_followed_is_not_the_callers_trouble(cloud, links):
    cloud.fail(cloud.sqs, "SendMessage")
    links.follow(LINK)
    assert [type(message) for message, _ in cloud.sent] == [PollResponse]  # in vain


def test_a_restored_link_does_not_undo_what_came_after_it(cloud):
    links = Links(cloud.table)
    for _ in range(2):  # the queue may give a message twice
        links.restore(LINK)
        links.mark_deleted(LINK)
    assert cloud.row("resp_1")["deleted_at"] is not None
