"""A provider reports at the gateway's door that what runs in the background has ended."""

import json

import openai
import pytest

from tests.support.events import make_response, new_id
from tests.support.gateway import WEBHOOK_SECRET
from tests.support.provider import encode_response
from tests.support.webhooks import make_report, sign

ASK = {"model": "reported-5", "input": "x", "background": True}
TARGET = "reporting"  # whose account is `lab`
PATH = f"/webhooks/{TARGET}"


def encode(id, status):
    return encode_response(json.dumps(make_response(id, status)).encode())


@pytest.fixture
def begun(client, gateway, provider):
    """A background response, which is not polled for the next two minutes."""
    id = new_id()
    provider.respond_with(encode(id, "queued"))
    assert client.post("/responses", json=ASK).json()["status"] == "queued"
    assert gateway.row(f"W#openai lab#{id}", "OWNER")["tenant"] == "acme"
    return id


def report(client, content, path=PATH, **headers):
    """Sends it without a key."""
    client.headers.pop("authorization", None)
    return client.post(path, content=content, headers={**sign(content), **headers})


def test_a_reported_end_is_recorded_at_once_and_once(client, gateway, provider, begun):
    provider.respond_to_settle(begun, encode(begun, "completed"))
    event = make_report(begun)
    # The provider's SDK verifies what the test signs.
    parsed = openai.OpenAI(api_key="x").webhooks.unwrap(event, sign(event), secret=WEBHOOK_SECRET)
    assert (parsed.type, parsed.data.id) == ("response.completed", begun)
    got = report(client, event)
    assert (got.status_code, got.json()) == (200, {"received": True})
    row = gateway.wait_for_row(f"T#acme#R#{begun}", lambda row: row["status"] == "completed")
    assert row["usage"] == make_response(begun)["usage"]
    assert report(client, event).status_code == 200  # which is repeated
    assert len(provider.settle_requests(begun)) == 1


@pytest.mark.parametrize("event", [make_report("resp_unknown"), make_report("/", "batch.failed"),
                                   make_report("run_1", "eval.run.succeeded"), b"[]"])  # fmt: skip
def test_a_report_of_nothing_known_is_taken_and_does_nothing(client, event):
    assert report(client, event).status_code == 200


def test_what_is_not_signed_by_the_provider_is_refused_alike(client, provider, begun):
    event = make_report(begun)
    attempts = [
        {"webhook-signature": "v1,c2lnbmF0dXJl"},
        {"webhook-signature": ""},
        {"webhook-id": "evt_2"},
        sign(event, b"the key of another target"),
        sign(event, seconds=-310),
        sign(event, seconds=310),
    ]
    refusals = [report(client, event, **headers) for headers in attempts]
    assert {(got.status_code, got.content) for got in refusals} == {(401, refusals[0].content)}
    assert refusals[0].json()["error"]["code"] == "invalid_webhook_signature"
    assert provider.settle_requests(begun) == []


def test_a_large_body_and_other_targets_are_refused(client):
    assert report(client, b"x" * 65_537).status_code == 413
    for path in ("/webhooks/openai", "/webhooks/unknown"):  # without the option, no target
        got = report(client, b"x", path)
        assert (got.status_code, got.json()["error"]["code"]) == (404, "endpoint_not_served")
