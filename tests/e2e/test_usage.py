"""What a tenant has used, counted as its responses end."""

import pytest

from tests.support.events import make_event, make_events, new_id
from tests.support.provider import (
    CLOSE,
    encode_chunk,
    encode_response,
    encode_stream,
    encode_stream_head,
)
from tests.support.usage import (
    SPENT,
    UNPRICED,
    days_around_now,
    encode_usage_response,
    make_usage_response,
    new_model,
    nonzero_fields,
    read_report,
    send_create,
    wait_for_sum,
)


@pytest.fixture
def model():
    return new_model()


@pytest.fixture
def acme(gateway, door):
    with gateway.client(door) as client:
        yield client


def test_a_response_is_reported_with_its_tokens_and_their_price(acme, provider, model):
    provider.respond_with(encode_usage_response(new_id()))
    send_create(acme, model)
    found = wait_for_sum(acme, model, 1)
    assert nonzero_fields(found) == {"requests": 1, "completed": 1, **SPENT}
    assert found["object"] == "usage.bucket"
    assert found["day"] in days_around_now()
    assert (found["target"], found["key_id"][:4]) == ("openai", "key_")
    provider.received.clear()
    read_report(acme)
    assert provider.received == []


@pytest.mark.parametrize("status", ["completed", "incomplete", "failed", "cancelled"])
def test_every_end_is_counted(provider, client, model, status):
    provider.respond_with(encode_usage_response(new_id(), status))
    send_create(client, model)
    assert nonzero_fields(wait_for_sum(client, model, 1)) == {"requests": 1, status: 1, **SPENT}


@pytest.mark.parametrize("status", ["completed", "incomplete", "failed"])
def test_every_end_of_a_stream_is_counted(provider, client, model, status):
    """By the model that its last event names: that of the first may only pass things on."""
    id = new_id()
    first = make_event(
        "response.created", 0, response=make_usage_response(id, "in_progress", model="a-router")
    )
    last = make_event(f"response.{status}", 1, response=make_usage_response(id, status))
    provider.respond_with(encode_stream(first, last))
    send_create(client, model, stream=True)
    assert nonzero_fields(wait_for_sum(client, model, 1)) == {"requests": 1, status: 1, **SPENT}


@pytest.mark.parametrize(
    ("last_id", "store"),
    [("", True), (7, True), (None, True), ("x" * 3_000, True), (7, False), (None, False)],
    ids=["empty", "7", "none", "long", "7 unstored", "none unstored"],
)
def test_a_last_event_with_an_odd_id_is_counted_once(
    gateway, provider, client, model, last_id, store
):
    id = new_id()
    first = make_event("response.created", 0, response=make_usage_response(id, "in_progress"))
    last = make_event("response.completed", 1, response=make_usage_response(last_id))
    provider.respond_with(encode_stream(first, last))
    provider.respond_with(encode_usage_response(new_id()))
    body = {"model": model, "input": "x", "stream": True, "store": store}
    got = client.post("/responses", json=body)
    assert (last in got.content) == (last_id is None)
    assert gateway.row(f"T#acme#R#{id}")["status"] == "completed"
    send_create(client, model)
    found = nonzero_fields(wait_for_sum(client, model, 2))
    assert found["completed"] == 2
    assert found["total_tokens"] == 2 * SPENT["total_tokens"]


def test_a_failure_without_figures_is_counted_without_them(provider, client, model):
    provider.respond_with(encode_usage_response(new_id(), "failed", usage=None))
    send_create(client, model)
    assert nonzero_fields(wait_for_sum(client, model, 1)) == {
        "requests": 1,
        "failed": 1,
        "unmetered": 1,
    }


def test_an_unpriced_model_is_counted_and_reported_as_unpriced(provider, client, model):
    provider.respond_with(encode_usage_response(new_id(), model="gpt-5-2026"))
    send_create(client, model)
    found = nonzero_fields(wait_for_sum(client, model, 1))
    assert found == {**UNPRICED, "requests": 1, "completed": 1, "unpriced": 1}


def test_a_cut_stream_is_counted_once_by_its_exact_figures(gateway, provider, client, model):
    id = new_id()
    provider.respond_with(encode_stream_head(), *map(encode_chunk, make_events(id)[:2]), CLOSE)
    provider.respond_to_settle(id, encode_usage_response(id))
    send_create(client, model, stream=True)
    gateway.wait_for_row(f"T#acme#R#{id}", lambda row: row["status"] == "completed")
    client.post("/responses", json={"model": model, "input": 7})  # refused, so never counted
    assert nonzero_fields(wait_for_sum(client, model, 1)) == {
        "requests": 1,
        "completed": 1,
        **SPENT,
    }


def test_a_cut_stream_that_is_not_stored_is_counted_as_unknown(provider, client, model):
    id = new_id()
    provider.respond_with(encode_stream_head(), *map(encode_chunk, make_events(id)[:2]), CLOSE)
    send_create(client, model, stream=True, store=False)
    assert nonzero_fields(wait_for_sum(client, model, 1)) == {
        "requests": 1,
        "unknown": 1,
        "unmetered": 1,
    }


def test_a_background_response_is_counted_when_it_has_ended(provider, client, model):
    id = new_id()
    provider.respond_with(encode_usage_response(id, "queued", background=True, usage=None))
    provider.respond_to_settle(id, encode_usage_response(id, service_tier="flex"))
    send_create(client, model, background=True)
    found = nonzero_fields(wait_for_sum(client, model, 1))
    assert found == {"requests": 1, "completed": 1, **SPENT, "cost_usd": "0.0009"}


def test_one_that_is_deleted_before_its_end_is_known_is_counted_as_unknown(provider, client, model):
    id = new_id()
    provider.respond_with(encode_usage_response(id, "queued", background=True, usage=None))
    send_create(client, model, background=True)
    provider.respond_with(encode_response(b'{"deleted":true}'))
    client.delete(f"/responses/{id}")
    assert nonzero_fields(wait_for_sum(client, model, 1)) == {
        "requests": 1,
        "unknown": 1,
        "unmetered": 1,
    }


def test_a_compaction_is_counted_though_nobody_can_ask_for_it(acme, provider, model):
    provider.respond_with(encode_usage_response(new_id("cmp")))
    got = acme.post("/responses/compact", json={"model": model, "input": "x"})
    assert got.status_code == 200
    assert nonzero_fields(wait_for_sum(acme, model, 1)) == {"requests": 1, "completed": 1, **SPENT}
    provider.received.clear()
    assert acme.get(f"/responses/{got.json()['id']}").status_code == 404
    assert provider.received == []
