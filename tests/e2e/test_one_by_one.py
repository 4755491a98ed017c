"""Events arrive one by one, and the status stays open until the first."""

import json
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.support.events import make_events, make_response, new_id, parse_events
from tests.support.provider import (
    CLOSE,
    LAST_CHUNK,
    SILENCE,
    Gate,
    encode_chunk,
    encode_response,
    encode_stream_head,
)

ASK = {"model": "gpt-5", "input": "x", "stream": True}


def test_each_event_arrives_before_the_provider_sends_the_next(gateway, provider, door):
    events = make_events(new_id())
    gates = [Gate() for _ in events]
    script = [
        step for one, gate in zip(events, gates, strict=True) for step in (encode_chunk(one), gate)
    ]
    provider.respond_with(encode_stream_head(), *script, LAST_CHUNK)
    with gateway.client(door) as client, client.stream("POST", "/responses", json=ASK) as got:
        pieces = got.iter_raw()
        for one, gate in zip(events, gates, strict=True):
            assert next(pieces) == one  # the provider waits at the gate, so it has sent no more
            gate.open()
        assert list(pieces) == []


def test_an_event_in_two_parts_is_passed_on_when_it_is_whole(gateway, provider):
    events = make_events(new_id())
    gate = Gate()
    half = len(events[1]) // 2
    script = [
        encode_chunk(events[0]),
        encode_chunk(events[1][:half]),
        gate,
        encode_chunk(events[1][half:]),
    ]
    provider.respond_with(encode_stream_head(), *script, encode_chunk(events[2]), LAST_CHUNK)
    with gateway.client() as client, client.stream("POST", "/responses", json=ASK) as got:
        pieces = got.iter_raw()
        assert next(pieces) == events[0]
        gate.open()
        assert b"".join(pieces) == events[1] + events[2]


def test_two_requests_are_answered_at_once(provider, client):
    first, second = make_events(new_id()), make_events(new_id())
    gate = Gate()
    provider.respond_with(
        encode_stream_head(),
        encode_chunk(first[0]),
        gate,
        *map(encode_chunk, first[1:]),
        LAST_CHUNK,
    )
    with client.stream("POST", "/responses", json=ASK) as slow:
        pieces = slow.iter_raw()
        assert next(pieces) == first[0]
        provider.respond_with(encode_stream_head(), *map(encode_chunk, second), LAST_CHUNK)
        assert client.post("/responses", json=ASK).content == b"".join(second)
        gate.open()
        assert b"".join(pieces) == first[1] + first[2]


@pytest.mark.parametrize("held", [b": comment\n\n", b": a\n\n: b\n\n"])
def test_comments_leave_the_status_open(provider, client, held):
    """The provider breaks off behind comments: nothing has begun, so it is still a 502."""
    provider.respond_with(encode_stream_head(chunked=False), held, CLOSE)
    got = client.post("/responses", json=ASK)
    assert got.status_code == 502
    assert got.json()["error"]["code"] == "upstream_failed"


def test_silence_is_filled_with_comments(hasty, provider, door):
    events = make_events(new_id())
    gate = Gate()
    provider.respond_with(
        encode_stream_head(),
        encode_chunk(events[0]),
        gate,
        *map(encode_chunk, events[1:]),
        LAST_CHUNK,
    )
    with hasty.client(door) as client, client.stream("POST", "/responses", json=ASK) as got:
        pieces = got.iter_raw()
        assert next(pieces) == events[0]
        assert next(pieces) == b": ping\n\n"
        assert next(pieces) == b": ping\n\n"
        gate.open()
        rest = b"".join(pieces)
    assert rest.replace(b": ping\n\n", b"") == events[1] + events[2]


def test_a_provider_that_never_begins_is_a_504_that_is_not_tried_again(hasty, provider, door):
    provider.respond_with(encode_stream_head(), Gate())
    with hasty.client(door) as client:
        got = client.post("/responses", json=ASK)
    assert (got.status_code, got.headers["x-should-retry"]) == (504, "false")
    assert got.json()["error"]["code"] == "upstream_timeout"


def test_the_deadline_of_lambda_ends_a_stream_in_order(hasty, provider, door):
    """It has been idle for long, so that nothing tells how its response ended: that is polled."""
    id, gate, ended = new_id(), Gate(), make_response(new_id(), "cancelled")
    provider.respond_with(encode_stream_head(), encode_chunk(make_events(id)[0]), gate)
    provider.respond_to_settle(id, encode_response(json.dumps({**ended, "id": id}).encode()))
    with hasty.client(door) as client:
        got = client.post("/responses", json=ASK)
    gate.open()
    created, error, failed = parse_events(got.content)
    assert created["type"] == "response.created"
    assert (error["type"], error["code"]) == ("error", "gateway_deadline")
    assert error["error"]["code"] == "gateway_deadline"
    assert (failed["type"], failed["response"]["id"]) == ("response.failed", id)
    assert provider.hung_up.wait(60)
    row = hasty.wait_for_row(f"T#acme#R#{id}", lambda row: row["status"] == "cancelled")
    assert row["usage"] == ended["usage"]


def test_an_answer_ends_before_its_endpoint_or_lambda_would(hasty, provider):
    """At the REST endpoint after `rest_answer_seconds`, which do not end a stream that began.

    What of the answer has arrived is recorded, and followed to its end.
    """

    def answer(request):
        is_poll = not request.body
        id = request.line.split("/")[3].split()[0] if is_poll else json.loads(request.body)["input"]
        whole = encode_response(json.dumps(make_response(id)).encode())
        return (whole,) if is_poll else (whole[:-1], SILENCE)

    def create(door, id):
        with hasty.client(door) as client:
            return client.post("/responses", json={"model": "gpt-5", "input": id})

    provider.respond_by(answer)
    ids = [new_id(), new_id()]
    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(create, ("rest", "url"), ids))
    for id, got, seconds in zip(ids, answers, (4, 5), strict=True):
        assert (got.status_code, got.headers["x-should-retry"]) == (504, "false")
        error = got.json()["error"]
        assert error["code"] == "gateway_deadline"
        assert '"stream": true or "background": true' in error["message"]
        assert got.elapsed.total_seconds() >= seconds
        row = hasty.wait_for_row(f"T#acme#R#{id}", lambda row: row["status"] == "completed")
        assert row["usage"] == make_response(id)["usage"]


def test_events_with_odd_sequence_numbers_can_still_be_ended(provider, client):
    provider.respond_with(
        encode_stream_head(), encode_chunk(b'data: {"type":"response.created"}\n\n'), LAST_CHUNK
    )
    got = client.post("/responses", json=ASK)
    (_, error) = parse_events(got.content)
    assert (error["type"], error["sequence_number"]) == ("error", 0)
