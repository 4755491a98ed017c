"""A stream with an Idempotency-Key: sent once by the provider, and again from what is stored."""

import pytest

from tests.clients.text_events import make_text_events, message
from tests.support.events import make_event, make_events, make_response, new_id, parse_events
from tests.support.provider import (
    CLOSE,
    LAST_CHUNK,
    Gate,
    encode_chunk,
    encode_response,
    encode_stream,
    encode_stream_head,
)
from tests.support.requests import (
    CLAIM_SORT_KEY,
    IN_FLIGHT,
    LONG_AGO,
    NOT_STORED,
    KeyedRequest,
    count_posts,
    encode_stored,
    read_error,
    request_lines,
)


@pytest.fixture
def keyed(client):
    return KeyedRequest(client, stream=True)


def encode_complete(id, status="completed", **more):
    return encode_response(encode_stored(id, status, **more))


def test_a_stream_is_replayed_from_the_stored_response(provider, keyed):
    id = new_id()
    first = make_text_events(id)
    provider.respond_with(encode_stream(*first))
    assert keyed.create().content == b"".join(first)
    provider.respond_with(encode_complete(id, output=[message("Hello you")]))
    again = keyed.create()
    assert again.status_code == 200
    assert again.headers["x-antiphon-replayed"] == "true"
    assert again.headers["x-antiphon-target"] == "openai"
    assert again.headers["content-type"] == "text/event-stream; charset=utf-8"
    events = parse_events(again.content)
    kinds = [one["type"] for one in parse_events(b"".join(first))]
    assert [one["type"] for one in events if "in_progress" not in one["type"]] == list(
        dict.fromkeys(kinds)
    )
    assert events[-1]["response"] == make_response(id, output=[message("Hello you")])
    assert request_lines(provider) == ["POST /v1/responses", f"GET /v1/responses/{id}"]


def test_a_stream_under_way_is_waited_for_by_the_caller(provider, keyed):
    id, gate = new_id(), Gate()
    first, *others = make_events(id)
    provider.respond_with(
        encode_stream_head(), encode_chunk(first), gate, *map(encode_chunk, others), LAST_CHUNK
    )
    with keyed.open_stream() as got:
        pieces = got.iter_raw()
        assert next(pieces) == first
        for unfinished in (
            encode_complete(id, "in_progress"),
            encode_response(b'{"error":{}}', 404),
        ):
            provider.respond_with(unfinished)
            assert read_error(keyed.create()) == IN_FLIGHT
        gate.open()
        assert b"".join(pieces) == b"".join(others)
    assert count_posts(provider) == 1
    provider.respond_with(encode_complete(id))
    assert parse_events(keyed.create().content)[-1]["response"]["id"] == id


def test_of_a_stream_that_was_cut_the_provider_knows_the_end(provider, keyed):
    id = new_id()
    provider.respond_with(encode_stream_head(), *map(encode_chunk, make_events(id)[:2]), CLOSE)
    assert parse_events(keyed.create().content)[-1]["type"] == "response.failed"
    for unknown in (encode_complete(id, "in_progress"), encode_response(b'{"error":{}}', 404)):
        provider.respond_with(unknown)
        assert read_error(keyed.create()) == IN_FLIGHT
    provider.respond_with(encode_complete(id))
    again = parse_events(keyed.create().content)
    assert (again[-1]["type"], again[-1]["response"]) == ("response.completed", make_response(id))
    assert count_posts(provider) == 1


@pytest.mark.parametrize("status", ["failed", "incomplete", "cancelled"])
def test_a_stream_ends_again_as_the_response_did(provider, keyed, status):
    id = new_id()
    provider.respond_with(encode_stream_head(), encode_chunk(make_events(id)[0]), CLOSE)
    keyed.create()
    provider.respond_with(encode_complete(id, status))
    last = parse_events(keyed.create().content)[-1]
    ending = "response.incomplete" if status == "incomplete" else "response.failed"
    assert (last["type"], last["response"]["status"]) == (ending, status)


def test_of_an_owner_that_crashed_in_mid_stream_the_provider_knows_the_end(provider, keyed):
    """At once: whether the owner lives does not matter."""
    id, gate = new_id(), Gate()
    first, *others = make_events(id)
    provider.respond_with(
        encode_stream_head(), encode_chunk(first), gate, *map(encode_chunk, others), LAST_CHUNK
    )
    with keyed.open_stream() as got:
        pieces = got.iter_raw()
        next(pieces)
        provider.respond_with(encode_complete(id))
        assert parse_events(keyed.create().content)[-1]["response"] == make_response(id)
        gate.open()
        assert list(pieces)
    assert count_posts(provider) == 1


def test_a_stream_in_the_background_is_had_from_the_provider_as_it_was(provider, client):
    keyed, id = KeyedRequest(client, stream=True, background=True, include=["x"]), new_id()
    provider.respond_with(encode_stream(*make_events(id)))
    keyed.create()
    provider.respond_with(encode_stream(*make_events(id)))
    again = keyed.create()
    assert again.content == b"".join(make_events(id))
    assert again.headers["x-antiphon-replayed"] == "true"
    assert request_lines(provider)[1] == f"GET /v1/responses/{id}?include%5B%5D=x&stream=true"


def test_a_stream_that_never_names_a_response_is_not_sent_again(provider, keyed):
    failure = {"type": "server_error", "code": "c", "message": "m", "param": None}
    provider.respond_with(encode_stream(make_event("error", 0, error=failure)))
    assert parse_events(keyed.create().content)[0]["type"] == "error"
    assert read_error(keyed.create()) == (502, "upstream_failed", "false")
    assert count_posts(provider) == len(provider.received) == 1


def test_a_stream_may_name_its_response_late(provider, keyed):
    id = new_id()
    provider.respond_with(encode_stream(make_event("brand.new", 0), *make_events(id)))
    keyed.create()
    provider.respond_with(encode_complete(id))
    assert keyed.create().headers["x-antiphon-replayed"] == "true"


def test_a_response_whose_link_is_late_is_waited_for(gateway, provider, keyed):
    provider.respond_with(encode_stream(*make_events(new_id())))
    keyed.create()
    gateway.change(keyed.partition, CLAIM_SORT_KEY, response_id="resp_not_written_yet")
    assert read_error(keyed.create()) == IN_FLIGHT
    gateway.change(keyed.partition, CLAIM_SORT_KEY, deadline=LONG_AGO)
    assert read_error(keyed.create()) == NOT_STORED
    assert len(provider.received) == 1
