"""A delivery: what is sent, and what follows from what an endpoint answers."""

import json
import socket
import time
from dataclasses import replace

import pytest
from openai import InvalidWebhookSignatureError

from antiphon.errors import CredentialMissing, Unavailable
from antiphon.schema.public_addresses import is_public
from antiphon.store.queue import (
    DeliverWebhook,
    Queue,
    WebhookEvent,
    decode_message,
    encode_message,
)
from antiphon.store.webhook_deliveries import WebhookDeliveries
from antiphon.store.webhook_endpoints import WebhookEndpoints
from antiphon.store.webhook_secrets import SigningSecrets, secret_text
from antiphon.upstream.transport import LlhttpTransport
from antiphon.upstream.webhook_sender import WebhookSender
from antiphon.webhook_delivery import WebhookDelivery
from tests.support.concurrency import ManualClock
from tests.support.receiver import make_endpoint, run_receiver
from tests.support.upstream import IDLE_SECONDS, NO_TLS

NOW = int(time.time())
HOUR = 3600
EVENT = WebhookEvent(f"evt_{'0' * 32}", "response.completed", "resp_1", NOW)
MESSAGE = DeliverWebhook("acme", "wh_1", EVENT, since=NOW)
ENDPOINT = make_endpoint(signing_secret_hint="whsec_...abcd")


@pytest.fixture
def receiver():
    with run_receiver() as receiver:
        yield receiver


@pytest.fixture
def clock():
    clock = ManualClock()
    clock.now = float(NOW)
    return clock


@pytest.fixture
def delivery(cloud, clock, receiver):
    cloud.secrets.create_secret(Name="signing", SecretString="s" * 64)
    endpoints = WebhookEndpoints(cloud.table, 20, clock)
    endpoints.add("acme", replace(ENDPOINT, url=receiver.url))
    transport = LlhttpTransport(NO_TLS, IDLE_SECONDS)
    return WebhookDelivery(
        endpoints,
        WebhookDeliveries(cloud.table, clock),
        SigningSecrets(cloud.secrets, "signing"),
        WebhookSender(transport.exchange, 5),
        Queue(lambda: cloud.sqs, cloud.queue_url, clock=clock),
        72 * HOUR,
        clock,
        random=lambda: 0.0,
    )


def run(delivery, message=MESSAGE):
    delivery.handle(message, time.monotonic() + 60)


def state(delivery):
    return delivery.deliveries.find("acme", "wh_1", EVENT)


def secret(delivery, generation):
    return secret_text(delivery.keys.key("acme", "wh_1", generation))


def test_what_is_sent_is_accepted_by_openais_client(delivery, receiver, cloud, clock):
    clock.now = time.time()  # the client compares it with the time
    run(delivery)
    (received,) = receiver.received
    event = receiver.unwrap(received, secret(delivery, 1))
    assert (event.type, event.data.id, event.id) == ("response.completed", "resp_1", EVENT.id)
    assert (event.object, event.created_at) == ("event", NOW)
    assert received[0]["webhook-id"] == EVENT.id
    assert (state(delivery).status, state(delivery).last_status_code) == ("delivered", 200)
    assert cloud.sent == []


def test_a_message_that_comes_twice_is_delivered_once(delivery, receiver):
    run(delivery)
    run(delivery)
    assert len(receiver.received) == 1


@pytest.mark.parametrize("status", [500, 404, 301, 429])
def test_what_is_not_accepted_is_sent_again_with_the_same_id(
    delivery, receiver, cloud, clock, status
):
    receiver.statuses = [status]
    run(delivery)
    ((again, delay),) = cloud.sent
    assert (again.attempt, delay) == (2, 5)
    found = state(delivery)
    assert (found.status, found.attempts, found.last_status_code) == ("pending", 1, status)
    assert found.next_attempt_at == NOW + 5
    clock.now += 5
    run(delivery, decode_message(encode_message(again)))
    assert [headers["webhook-id"] for headers, _ in receiver.received] == [EVENT.id] * 2
    assert receiver.received[0][1] == receiver.received[1][1]
    assert (state(delivery).status, state(delivery).attempts) == ("delivered", 2)


def test_without_the_table_nothing_is_sent_and_the_message_comes_again(delivery, receiver, cloud):
    cloud.fail(cloud.dynamodb, "GetItem")
    with pytest.raises(Unavailable):
        run(delivery)
    assert receiver.received == []
    cloud.restore(cloud.dynamodb, "GetItem")
    run(delivery)
    assert state(delivery).status == "delivered"


def test_a_delivery_that_is_not_recorded_is_sent_again_with_the_same_id(delivery, receiver, cloud):
    cloud.fail(cloud.dynamodb, "UpdateItem")
    with pytest.raises(Unavailable):
        run(delivery)
    cloud.restore(cloud.dynamodb, "UpdateItem")
    run(delivery)
    assert [headers["webhook-id"] for headers, _ in receiver.received] == [EVENT.id] * 2
    assert state(delivery).status == "delivered"


def test_without_the_queue_an_attempt_that_failed_is_made_again(delivery, receiver, cloud):
    receiver.statuses = [500]
    cloud.fail(cloud.sqs, "SendMessage")
    with pytest.raises(Unavailable):
        run(delivery)
    assert state(delivery) is None
    cloud.restore(cloud.sqs, "SendMessage")
    run(delivery)
    assert (state(delivery).status, state(delivery).attempts) == ("delivered", 1)


def test_pauses_grow_to_six_hours_and_the_queue_delays_a_part_of_each(delivery, receiver, cloud):
    receiver.statuses = [500] * 3
    pauses = []
    for attempt in (4, 7, 12):
        run(delivery, replace(MESSAGE, attempt=attempt))
        ((again, delay),) = cloud.sent
        pauses.append((again.not_before - NOW, delay))
        cloud.sent.clear()
    assert pauses == [(320, 320), (20_480, 900), (21_600, 900)]
    run(delivery, again)  # which comes before its time
    assert cloud.sent == [(again, 900)]
    assert len(receiver.received) == 3


def test_after_three_days_a_delivery_has_failed(delivery, receiver, cloud, clock):
    receiver.statuses = [500]
    clock.now += 71 * HOUR
    run(delivery, replace(MESSAGE, attempt=18))
    assert (state(delivery).status, state(delivery).next_attempt_at) == ("failed", None)
    assert cloud.sent == []


def test_an_endpoint_that_is_gone_gets_nothing_until_it_is_changed(delivery, receiver, cloud):
    receiver.statuses = [410]
    run(delivery)
    assert (state(delivery).status, state(delivery).last_status_code) == ("failed", 410)
    endpoint = delivery.endpoints.find("acme", "wh_1")
    assert (endpoint.disabled_at, endpoint.wants("response.completed")) == (NOW, False)
    later = replace(MESSAGE, event=replace(EVENT, id=f"evt_{'1' * 32}"))
    run(delivery, later)
    assert delivery.deliveries.find("acme", "wh_1", later.event).last_error == "endpoint_disabled"
    assert len(receiver.received) == 1
    assert cloud.sent == []


def test_a_deleted_endpoint_gets_nothing(delivery, receiver, cloud):
    delivery.endpoints.remove("acme", "wh_1")
    run(delivery)
    assert (receiver.received, cloud.sent) == ([], [])


def test_an_endpoint_that_does_not_answer_rests_while_others_are_served(delivery, receiver, cloud):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = "http://127.0.0.1:{1}/".format(*silent.getsockname())
        delivery.endpoints.change("acme", "wh_1", lambda e: replace(e, url=url))
        brief = replace(delivery, sender=replace(delivery.sender, seconds=0.05))
        run(brief)
    assert state(delivery).last_error == "timeout"
    delivery.endpoints.change("acme", "wh_1", lambda e: replace(e, url=receiver.url))
    run(brief, replace(MESSAGE, attempt=2))
    assert receiver.received == []
    assert (state(delivery).last_error, state(delivery).status) == ("not_tried", "pending")
    assert [(each.attempt, delay) for each, delay in cloud.sent] == [(2, 5), (3, 20)]


def test_a_private_address_is_refused_when_the_connection_is_made(receiver):
    transport = LlhttpTransport(NO_TLS, IDLE_SECONDS, is_allowed=is_public)
    sender = WebhookSender(transport.exchange, 5)
    named = receiver.url.replace("127.0.0.1", "localhost")
    for url in (receiver.url, named, receiver.url.replace("127.0.0.1", "[::ffff:127.0.0.1]")):
        answer = sender.post(url, {}, b"{}", time.monotonic() + 5)
        assert (answer.status, answer.error) == (None, "address_not_public")
    assert receiver.received == []


def test_both_secrets_are_valid_for_a_day_after_a_rotation_that_keeps_the_old_one(
    delivery, receiver, clock
):
    rotated = {"generation": 2, "old_secret_until": NOW + 24 * HOUR}
    delivery.endpoints.change("acme", "wh_1", lambda e: replace(e, **rotated))
    clock.now = time.time()
    run(delivery)
    (received,) = receiver.received
    for generation in (1, 2):
        assert receiver.unwrap(received, secret(delivery, generation)).id == EVENT.id
    with pytest.raises(InvalidWebhookSignatureError):
        receiver.unwrap(received, secret(delivery, 3))
    clock.now += 25 * HOUR
    endpoint = delivery.endpoints.find("acme", "wh_1")
    assert endpoint.generations_at(clock.now) == (2,)


def test_secrets_differ_between_tenants_endpoints_and_generations(delivery):
    keys = {
        delivery.keys.key(tenant, endpoint, generation)
        for tenant in ("acme", "umbra")
        for endpoint in ("wh_1", "wh_2")
        for generation in (1, 2)
    }
    assert len(keys) == 8


def test_without_the_stacks_secret_nothing_is_sent(delivery, receiver, cloud):
    unsigned = replace(delivery, keys=SigningSecrets(cloud.secrets, "missing"))
    with pytest.raises(CredentialMissing, match="does not exist"):
        run(unsigned)
    assert receiver.received == []


def test_neither_a_secret_nor_an_answer_is_in_the_table(delivery, cloud):
    run(delivery)
    rows = json.dumps(cloud.dynamodb.scan(TableName=cloud.table.name)["Items"])
    assert "whsec_...abcd" in rows
    assert secret(delivery, 1) not in rows
    assert "s" * 64 not in rows
    assert "unheard-of" not in rows
