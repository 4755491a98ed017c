"""A stream with an Idempotency-Key: told once by the provider, and again from what is stored."""

import pytest

from tests.clients.tales import message, told
from tests.support.keyed import (
    IN_FLIGHT,
    LONG_AGO,
    NOT_STORED,
    SORT,
    Keyed,
    error,
    lines,
    posts,
    stored,
)
from tests.support.provider import CLOSE, END, Gate, chunk, stream_head, streamed, whole
from tests.support.samples import event, new_id, parse, response, story


@pytest.fixture
def keyed(client):
    return Keyed(client, stream=True)


def kept(id, status="completed", **more):
    return whole(stored(id, status, **more))


def test_a_stream_is_told_again_from_the_stored_response(provider, keyed):
    id = new_id()
    first = told(id)
    provider.answers(streamed(*first))
    assert keyed.create().content == b"".join(first)
    provider.answers(kept(id, output=[message("Hello you")]))
    again = keyed.create()
    assert again.status_code == 200
    assert again.headers["x-antiphon-replayed"] == "true"
    assert again.headers["x-antiphon-target"] == "openai"
    assert again.headers["content-type"] == "text/event-stream; charset=utf-8"
    events = parse(again.content)
    kinds = [one["type"] for one in parse(b"".join(first))]
    assert [one["type"] for one in events if "in_progress" not in one["type"]] == list(
        dict.fromkeys(kinds)
    )
    assert events[-1]["response"] == response(id, output=[message("Hello you")])
    assert lines(provider) == ["POST /v1/responses", f"GET /v1/responses/{id}"]


def test_a_stream_under_way_is_waited_for_by_the_caller(provider, keyed):
    id, gate = new_id(), Gate()
    first, *others = story(id)
    provider.answers(stream_head(), chunk(first), gate, *map(chunk, others), END)
    with keyed.opened() as got:
        pieces = got.iter_raw()
        assert next(pieces) == first
        assert error(keyed.create()) == IN_FLIGHT
        gate.open()
        assert b"".join(pieces) == b"".join(others)
    assert len(provider.received) == 1
    provider.answers(kept(id))
    assert parse(keyed.create().content)[-1]["response"]["id"] == id


def test_of_a_stream_that_was_cut_the_provider_knows_the_end(provider, keyed):
    id = new_id()
    provider.answers(stream_head(), *map(chunk, story(id)[:2]), CLOSE)
    assert parse(keyed.create().content)[-1]["type"] == "response.failed"
    for unknown in (kept(id, "in_progress"), whole(b'{"error":{}}', 404)):
        provider.answers(unknown)
        assert error(keyed.create()) == IN_FLIGHT
    provider.answers(kept(id))
    again = parse(keyed.create().content)
    assert (again[-1]["type"], again[-1]["response"]) == ("response.completed", response(id))
    assert posts(provider) == 1


@pytest.mark.parametrize("status", ["failed", "incomplete", "cancelled"])
def test_a_stream_ends_again_as_the_response_did(provider, keyed, status):
    id = new_id()
    provider.answers(stream_head(), chunk(story(id)[0]), CLOSE)
    keyed.create()
    provider.answers(kept(id, status))
    last = parse(keyed.create().content)[-1]
    ending = "response.incomplete" if status == "incomplete" else "response.failed"
    assert (last["type"], last["response"]["status"]) == (ending, status)


def test_of_an_owner_that_crashed_in_mid_stream_the_provider_knows_the_end(
    gateway, provider, keyed
):
    id, gate = new_id(), Gate()
    first, *others = story(id)
    provider.answers(stream_head(), chunk(first), gate, *map(chunk, others), END)
    with keyed.opened() as got:
        pieces = got.iter_raw()
        next(pieces)
        gateway.change(keyed.partition, SORT, deadline=LONG_AGO)
        provider.answers(kept(id))
        assert parse(keyed.create().content)[-1]["response"] == response(id)
        gate.open()
        assert list(pieces)
    assert posts(provider) == 1


def test_a_stream_in_the_background_is_had_from_the_provider_as_it_was(provider, client):
    keyed, id = Keyed(client, stream=True, background=True, include=["x"]), new_id()
    provider.answers(streamed(*story(id)))
    keyed.create()
    provider.answers(streamed(*story(id)))
    again = keyed.create()
    assert again.content == b"".join(story(id))
    assert again.headers["x-antiphon-replayed"] == "true"
    assert lines(provider)[1] == f"GET /v1/responses/{id}?include%5B%5D=x&stream=true"


def test_a_stream_that_never_names_a_response_is_not_sent_again(provider, keyed):
    failure = {"type": "server_error", "code": "c", "message": "m", "param": None}
    provider.answers(streamed(event("error", 0, error=failure)))
    assert parse(keyed.create().content)[0]["type"] == "error"
    assert error(keyed.create()) == (502, "upstream_failed", "false")
    assert posts(provider) == len(provider.received) == 1


def test_a_stream_may_name_its_response_late(provider, keyed):
    id = new_id()
    provider.answers(streamed(event("brand.new", 0), *story(id)))
    keyed.create()
    provider.answers(kept(id))
    assert keyed.create().headers["x-antiphon-replayed"] == "true"


def test_a_response_whose_link_is_late_is_waited_for(gateway, provider, keyed):
    provider.answers(streamed(*story(new_id())))
    keyed.create()
    gateway.change(keyed.partition, SORT, response_id="resp_not_written_yet")
    assert error(keyed.create()) == IN_FLIGHT
    gateway.change(keyed.partition, SORT, deadline=LONG_AGO)
    assert error(keyed.create()) == NOT_STORED
    assert len(provider.received) == 1
