"""Messages of the queue, and a queue that fails."""

import json

import pytest

from antiphon.errors import Unavailable
from antiphon.store.links import Link
from antiphon.store.queue import (
    DeferredWrite,
    PollReported,
    PollResponse,
    Queue,
    decode_message,
    encode_message,
)
from tests.support import aws
from tests.support.dynamodb import make_link

LINK: Link = make_link(status="in_progress", metadata={"team": "blue"})
OUTCOME = {"status": "completed", "usage": {"input_tokens": 3, "cost": 0.25}, "completed_at": 7}


def test_a_decoded_message_equals_the_encoded_one():
    poll = PollResponse("acme", "resp_1", since=5, attempt=3)
    write = DeferredWrite(LINK, OUTCOME, since=5)
    messages = [poll, write, PollReported("acme", "batch_1", "batch", since=5)]
    assert [decode_message(encode_message(message)) for message in messages] == messages
    body = {"kind": "follow", "tenant": "acme", "id": "resp_1", "since": 5, "attempt": 3}
    body |= {"not_before": 0}
    assert json.loads(encode_message(poll)) == body


@pytest.mark.parametrize("body", ["", "{}", '{"kind":"other"}', '{"kind":"follow","id":"x"}'])
def test_other_bodies_are_refused(body):
    with pytest.raises((ValueError, KeyError, TypeError)):
        decode_message(body)


def test_the_delay_doubles_up_to_five_minutes():
    message = PollResponse("acme", "resp_1", since=5)
    delays = []
    for _ in range(400):
        delays.append(message.delay_at(5))
        message = message.next_attempt()
    assert delays[:9] == [2, 4, 8, 16, 32, 64, 128, 256, 300]
    assert delays[-1] == 300
    assert message.since == 5


def test_the_client_is_created_for_the_first_message(cloud):
    clients = []
    queue = Queue(lambda: clients.append(cloud.sqs) or cloud.sqs, cloud.queue_url)
    assert clients == []
    for _ in range(2):
        queue.send(PollResponse("acme", "resp_1"))
    assert clients == [cloud.sqs]


@pytest.mark.parametrize("fault", [aws.refuse_connection, aws.lose_response])
def test_a_queue_that_fails_is_unavailable(cloud, fault):
    cloud.fail(cloud.sqs, "SendMessage", fault)
    with pytest.raises(Unavailable):
        cloud.queue.send(PollResponse("acme", "resp_1"))
