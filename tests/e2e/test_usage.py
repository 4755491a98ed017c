"""What a tenant has used, counted as its responses end."""

import pytest

from tests.support.provider import CLOSE, chunk, stream_head, streamed, whole
from tests.support.samples import event, new_id, story
from tests.support.using import (
    SPENT,
    UNPRICED,
    answer,
    asked,
    bucket,
    counts,
    days_around_now,
    new_model,
    report,
    told,
)


@pytest.fixture
def model():
    return new_model()


@pytest.fixture
def acme(gateway, door):
    with gateway.client(door) as client:
        yield client


def test_a_response_is_told_with_its_tokens_and_their_price(acme, provider, model):
    provider.answers(told(new_id()))
    asked(acme, model)
    found = bucket(acme, model, 1)
    assert counts(found) == {"requests": 1, "completed": 1, **SPENT}
    assert found["object"] == "usage.bucket"
    assert found["day"] in days_around_now()
    assert (found["target"], found["key_id"][:4]) == ("openai", "key_")
    provider.received.clear()
    report(acme)
    assert provider.received == []


@pytest.mark.parametrize("status", ["completed", "incomplete", "failed", "cancelled"])
def test_every_end_is_counted(gateway, provider, model, status):
    provider.answers(told(new_id(), status))
    with gateway.client() as client:
        asked(client, model)
        assert counts(bucket(client, model, 1)) == {"requests": 1, status: 1, **SPENT}


@pytest.mark.parametrize("status", ["completed", "incomplete", "failed"])
def test_every_end_of_a_stream_is_counted(gateway, provider, model, status):
    """By the model that its last event names: that of the first may only pass things on."""
    id = new_id()
    first = event("response.created", 0, response=answer(id, "in_progress", model="a-router"))
    last = event(f"response.{status}", 1, response=answer(id, status))
    provider.answers(streamed(first, last))
    with gateway.client() as client:
        asked(client, model, stream=True)
        assert counts(bucket(client, model, 1)) == {"requests": 1, status: 1, **SPENT}


def test_a_failure_without_figures_is_counted_without_them(gateway, provider, model):
    provider.answers(told(new_id(), "failed", usage=None))
    with gateway.client() as client:
        asked(client, model)
        assert counts(bucket(client, model, 1)) == {"requests": 1, "failed": 1, "unmetered": 1}


def test_an_unpriced_model_is_counted_and_said_to_be(gateway, provider, model):
    provider.answers(told(new_id(), model="gpt-5-2026"))
    with gateway.client() as client:
        asked(client, model)
        found = counts(bucket(client, model, 1))
    assert found == {**UNPRICED, "requests": 1, "completed": 1, "unpriced": 1}


def test_a_cut_stream_is_counted_once_by_its_exact_figures(gateway, provider, model):
    id = new_id()
    provider.answers(stream_head(), *map(chunk, story(id)[:2]), CLOSE)
    provider.answers_later(id, told(id))
    with gateway.client() as client:
        asked(client, model, stream=True)
        gateway.until(f"T#acme#R#{id}", lambda row: row["status"] == "completed")
        client.post("/responses", json={"model": model, "input": 7})  # refused, so never counted
        assert counts(bucket(client, model, 1)) == {"requests": 1, "completed": 1, **SPENT}


def test_a_cut_stream_that_is_not_kept_is_counted_as_unknown(gateway, provider, model):
    id = new_id()
    provider.answers(stream_head(), *map(chunk, story(id)[:2]), CLOSE)
    with gateway.client() as client:
        asked(client, model, stream=True, store=False)
        assert counts(bucket(client, model, 1)) == {"requests": 1, "unknown": 1, "unmetered": 1}


def test_a_background_response_is_counted_when_it_has_ended(gateway, provider, model):
    id = new_id()
    provider.answers(told(id, "queued", background=True, usage=None))
    provider.answers_later(id, told(id, service_tier="flex"))
    with gateway.client() as client:
        asked(client, model, background=True)
        found = counts(bucket(client, model, 1))
    assert found == {"requests": 1, "completed": 1, **SPENT, "cost_usd": "0.0009"}


def test_one_that_is_deleted_before_its_end_is_known_is_counted_as_unknown(
    gateway, provider, model
):
    id = new_id()
    provider.answers(told(id, "queued", background=True, usage=None))
    with gateway.client() as client:
        asked(client, model, background=True)
        provider.answers(whole(b'{"deleted":true}'))
        client.delete(f"/responses/{id}")
        assert counts(bucket(client, model, 1)) == {"requests": 1, "unknown": 1, "unmetered": 1}


def test_a_compaction_is_counted_though_nobody_can_ask_for_it(acme, provider, model):
    provider.answers(told(new_id("cmp")))
    got = acme.post("/responses/compact", json={"model": model, "input": "x"})
    assert got.status_code == 200
    assert counts(bucket(acme, model, 1)) == {"requests": 1, "completed": 1, **SPENT}
    provider.received.clear()
    assert acme.get(f"/responses/{got.json()['id']}").status_code == 404
    assert provider.received == []
