"""Webhooks at both doors, by OpenAI's own client: endpoints, deliveries, tests, other tenants."""

import json
import socket

import pytest
from openai import BadRequestError, DefaultHttpxClient, NotFoundError, OpenAI

from tests.support.concurrency import wait_for
from tests.support.gateway import KEYS, NO_TLS
from tests.support.receiver import Receiver, run_receiver

ASK = {"model": "gpt-5", "input": "x"}
CALLS = {
    "retrieve": ("GET", "", None),
    "update": ("POST", "", {"name": "other"}),
    "rotate": ("POST", "/rotate_secret", {}),
    "test": ("POST", "/test", {"event_type": "response.completed"}),
    "deliveries": ("GET", "/deliveries", None),
    "delete": ("DELETE", "", None),
}


@pytest.fixture
def receiver():
    with run_receiver() as receiver:
        yield receiver


@pytest.fixture
def webhooks(played, door):
    """The part of OpenAI's client, for a tenant without endpoints before and behind each test."""
    with played.client(door) as http:
        base = played.base(door)
        transport = DefaultHttpxClient(trust_env=False, verify=NO_TLS)
        with OpenAI(
            base_url=base, api_key=KEYS["acme"], max_retries=0, http_client=transport
        ) as client:
            delete_all(client.webhooks)  # tests of other files make endpoints, too
            yield client.webhooks
            delete_all(client.webhooks)
        assert http.get("/webhook_endpoints").json()["data"] == []


def delete_all(webhooks):
    for each in webhooks.list():
        webhooks.delete(each.id)


def create(webhooks, receiver, *event_types):
    """An endpoint; responses of other tests may end while it wants to know of their ends."""
    types = event_types or ("response.completed",)
    return webhooks.create(name="Production", url=receiver.url, event_types=[*types])


@pytest.mark.parametrize("background", [False, True])
def test_the_end_of_a_response_reaches_the_endpoints_that_want_it(
    played, door, webhooks, receiver, background
):
    endpoint = create(webhooks, receiver)
    create(webhooks, receiver, "response.failed", "batch.completed")
    with played.client(door) as client:
        id = client.post("/responses", json={**ASK, "background": background}).json()["id"]
    (received,) = wait_for(lambda: receiver.of(id), bool)
    event = receiver.unwrap(received, endpoint.signing_secret)
    assert (event.type, event.data.id, event.object) == ("response.completed", id, "event")

    def deliveries():
        with played.client(door) as client:
            found = client.get(f"/webhook_endpoints/{endpoint.id}/deliveries").json()
        return [each for each in found["data"] if each["object_id"] == id]

    (delivery,) = wait_for(deliveries, bool)
    assert delivery["event_id"] == event.id == received[0]["webhook-id"]
    assert (delivery["status"], delivery["last_status_code"]) == ("delivered", 200)
    assert delivery["attempts"] == 1


def test_endpoints_are_as_openais_client_has_them(webhooks, receiver):
    made = [create(webhooks, receiver) for _ in range(3)]
    assert made[0].signing_secret.startswith("whsec_")
    assert made[0].signing_secret_hint.startswith("whsec_...")
    pages = webhooks.list(limit=2)
    assert pages.has_next_page()
    assert [each.id for each in pages] == [each.id for each in reversed(made)]
    found = webhooks.retrieve(made[0].id)
    assert (found.name, found.url, found.object) == ("Production", receiver.url, "webhook_endpoint")
    assert not hasattr(found, "signing_secret")
    changed = webhooks.update(found.id, name="Stage", event_types=["batch.failed"])
    assert (changed.name, changed.event_types, changed.url) == (
        "Stage",
        ["batch.failed"],
        receiver.url,
    )
    deleted = webhooks.delete(found.id)
    assert (deleted.id, deleted.deleted, deleted.object) == (
        found.id,
        True,
        "webhook_endpoint.deleted",
    )
    with pytest.raises(NotFoundError):
        webhooks.retrieve(found.id)
    assert "response.completed" in webhooks.event_types.list().data


def test_a_test_event_is_signed_with_the_new_secret_and_the_old_one(webhooks, receiver):
    endpoint = create(webhooks, receiver, "batch.expired")
    new = webhooks.rotate_secret(endpoint.id, keep_old_secret_active_for_24_hours=True)
    assert new.signing_secret != endpoint.signing_secret
    receiver.statuses = [418]
    result = webhooks.test(endpoint.id, event_type="batch.expired")
    assert (result.status_code, result.event_type, result.success) == (418, "batch.expired", True)
    (received,) = receiver.of("batch_test")
    for secret in (endpoint.signing_secret, new.signing_secret):
        assert receiver.unwrap(received, secret).type == "batch.expired"


@pytest.mark.parametrize(
    "body",
    [
        {"url": "https://10.0.0.1/hooks"},
        {"url": "http://app.example.com/hooks"},
        {"event_types": []},
        {"event_types": ["eval.run.failed"]},
        {"name": ""},
        {"colour": "red"},
    ],
)
def test_what_cannot_be_served_is_refused_by_its_name(webhooks, receiver, body):
    good = {"name": "n", "url": receiver.url, "event_types": ["response.completed"]}
    with pytest.raises(BadRequestError) as caught:
        webhooks._client.post("/webhook_endpoints", body={**good, **body}, cast_to=object)
    assert caught.value.param.startswith(*body)


def test_an_endpoint_that_does_not_answer_a_test_is_an_error_that_says_why(webhooks):
    with socket.socket() as refusing:  # nobody listens here, and nobody else can
        refusing.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{refusing.getsockname()[1]}/hooks"
        endpoint = create(webhooks, Receiver(url))
        with pytest.raises(BadRequestError, match="not_connected") as caught:
            webhooks.test(endpoint.id, event_type="response.failed")
    assert caught.value.code == "webhook_not_delivered"


def test_other_tenants_learn_nothing(played, door, webhooks, receiver):
    endpoint = create(webhooks, receiver, "batch.expired")
    unknown = (("acme", f"wh_{'0' * 32}"), ("acme", "no.such!id"), ("acme", "x" * 300))
    for name, (method, below, body) in CALLS.items():
        answers = set()
        for key, id in (("umbra", endpoint.id), *unknown):
            with played.client(door, key) as client:
                got = client.request(method, f"/webhook_endpoints/{id}{below}", json=body)
            answers.add((got.status_code, got.text.replace(id, "ID")))
        assert len(answers) == 1, (name, answers)
        ((status, text),) = answers
        assert status == 404, name
        assert "not found" in json.loads(text)["error"]["message"], name
    assert receiver.received == []


def test_without_the_setting_each_path_says_what_is_missing(client):
    for path in ("/webhook_endpoints", "/webhook_endpoints/wh_1", "/webhook_event_types"):
        error = client.get(path).json()["error"]
        assert error["code"] == "endpoint_not_served"
        assert "`[webhooks]`" in error["message"]
