"""Webhooks of the queue: delivered, sent again where AWS fails, dropped where they are off."""

from dataclasses import replace

import pytest

from antiphon.store.queue import DeliverWebhook, WebhookEvent
from antiphon.store.webhook_deliveries import WebhookDeliveries
from antiphon.store.webhook_endpoints import WebhookEndpoint, WebhookEndpoints
from antiphon.store.webhook_secrets import SigningSecrets, secret_text
from antiphon.upstream.webhook_sender import WebhookSender
from antiphon.webhook_delivery import WebhookDelivery
from tests.support.follow_up import HOUR, NOW, make_follow_up, run_follow_up
from tests.support.receiver import run_receiver
from tests.support.upstream import plain_transport

MESSAGE = DeliverWebhook(
    "acme", "wh_1", WebhookEvent(f"evt_{'0' * 32}", "batch.completed", "batch_1", NOW), since=NOW
)


@pytest.fixture
def receiver():
    with run_receiver() as receiver:
        yield receiver


@pytest.fixture
def follow_up(cloud, receiver):
    endpoints = WebhookEndpoints(cloud.table, 20)
    endpoint = WebhookEndpoint(
        id="wh_1",
        name="n",
        url=receiver.url,
        event_types=("batch.completed",),
        created_at=NOW,
        updated_at=NOW,
        signing_secret_hint="whsec_...",
    )
    endpoints.add("acme", endpoint)
    with plain_transport() as transport:
        delivery = WebhookDelivery(
            endpoints,
            WebhookDeliveries(cloud.table),
            SigningSecrets(cloud.secrets, "signing"),
            WebhookSender(transport.exchange, 5),
            cloud.queue,
            72 * HOUR,
        )
        yield replace(make_follow_up(cloud, "http://127.0.0.1:9", transport), webhooks=delivery)


def test_a_webhook_waits_until_it_can_be_signed(cloud, follow_up, receiver):
    run_follow_up(follow_up, MESSAGE)
    ((again, delay),) = cloud.sent
    assert (again.attempt, delay) == (2, 4)
    assert receiver.received == []
    cloud.secrets.create_secret(Name="signing", SecretString="s" * 64)
    run_follow_up(follow_up, again)
    secret = secret_text(follow_up.webhooks.keys.key("acme", "wh_1", 1))
    assert receiver.unwrap(*receiver.received, secret).data.id == "batch_1"


def test_a_webhook_is_dropped_where_they_were_switched_off(cloud, follow_up, receiver):
    run_follow_up(replace(follow_up, webhooks=None), MESSAGE)
    assert (receiver.received, cloud.sent) == ([], [])
