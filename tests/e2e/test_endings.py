"""A stream never lies: it ends with the provider's own terminal event, or with our pair."""

import json

import pytest

from tests.support.events import make_event, make_events, make_response, new_id, parse_events
from tests.support.provider import (
    CLOSE,
    LAST_CHUNK,
    RESET,
    Gate,
    encode_chunk,
    encode_response,
    encode_stream,
    encode_stream_head,
)

ASK = {"model": "gpt-5", "input": "x", "stream": True}
CUTS = {"clean end": (LAST_CHUNK, CLOSE), "closed": (CLOSE,), "reset": (RESET,)}


def ask(gateway, door="url"):
    with gateway.client(door) as client:
        return client.post("/responses", json=ASK)


@pytest.mark.parametrize("cut", CUTS)
@pytest.mark.parametrize("chunked", [True, False], ids=["chunked", "until closed"])
@pytest.mark.parametrize("passed", [1, 2])
def test_a_stream_cut_between_events_ends_with_the_pair(gateway, provider, cut, chunked, passed):
    id = new_id()
    events = make_events(id)[:passed]
    steps = [s for s in CUTS[cut] if chunked or s is not LAST_CHUNK]
    script = map(encode_chunk, events) if chunked else events
    provider.respond_with(encode_stream_head(chunked=chunked), *script, *steps)
    got = ask(gateway)
    assert got.status_code == 200
    assert got.content.startswith(b"".join(events))
    check_pair(got.content[len(b"".join(events)) :], id, number=passed)


def check_pair(tail, id, number):
    error, failed = parse_events(tail)
    assert tail.endswith(b"\n\n")
    assert error["type"] == "error"
    assert error["sequence_number"] == number
    assert error["code"] == error["error"]["code"] == "upstream_failed"
    assert error["message"] == error["error"]["message"]
    assert error["error"]["type"] == "server_error"
    assert failed["type"] == "response.failed"
    assert failed["sequence_number"] == number + 1
    assert failed["response"]["id"] == id
    assert failed["response"]["status"] == "failed"
    assert failed["response"]["error"]["code"] == "server_error"


def test_a_break_behind_the_terminal_event_is_none(gateway, provider):
    events = make_events(new_id())
    provider.respond_with(encode_stream_head(), *map(encode_chunk, events), RESET)
    assert ask(gateway).content == b"".join(events)


def test_half_an_event_behind_the_terminal_one_is_dropped(gateway, provider):
    events = make_events(new_id())
    provider.respond_with(
        encode_stream_head(),
        *map(encode_chunk, events),
        encode_chunk(b'data: {"type":"resp'),
        LAST_CHUNK,
    )
    assert ask(gateway).content == b"".join(events)


ERROR = {"code": "server_error", "message": "m", "param": None}


@pytest.mark.parametrize(
    "last",
    [
        [make_event("error", 1, **ERROR)],
        [make_event("error", 1, error=ERROR)],
        [
            make_event("error", 1, error=ERROR),
            make_event("response.failed", 2, response=make_response("r", "failed")),
        ],
        [make_event("response.failed", 1, response=make_response("r", "failed"))],
        [make_event("response.incomplete", 1, response=make_response("r", "incomplete"))],
        [b'data: {"error":{"message":"m","code":null}}\n\n'],
    ],
    ids=["flat", "nested", "pair", "failed", "incomplete", "unnamed"],
)
def test_the_providers_own_ending_is_left_as_it_is(gateway, provider, door, last):
    events = [make_events(new_id())[0], *last]
    provider.respond_with(encode_stream_head(), *map(encode_chunk, events), LAST_CHUNK)
    assert ask(gateway, door).content == b"".join(events)


def test_a_word_in_a_text_ends_nothing(gateway, provider):
    """A delta that speaks of errors and of "response" is a delta."""
    id = new_id()
    words = make_event(
        "response.output_text.delta", 1, delta='"response" {"type":"error","error":1}'
    )
    provider.respond_with(
        encode_stream_head(), encode_chunk(make_events(id)[0]), encode_chunk(words), LAST_CHUNK
    )
    got = ask(gateway)
    check_pair(got.content[len(make_events(id)[0] + words) :], id, number=2)


def test_an_outcome_that_cannot_be_read_ends_well_and_is_polled(gateway, provider):
    ids = [new_id() for _ in range(3)]
    for id, status in zip(ids, ({}, [], 7), strict=True):
        last = make_event("response.completed", 2, response=make_response(id, status))
        provider.respond_with(encode_stream(*make_events(id)[:2], last))
        provider.respond_to_settle(id, encode_response(json.dumps(make_response(id)).encode()))
        types = [event["type"] for event in parse_events(ask(gateway).content)]
        assert types[-1] in {"response.completed", "response.failed"}, status
    for id in ids:
        row = gateway.wait_for_row(f"T#acme#R#{id}", lambda row: row["status"] == "completed")
        assert row["usage"]["total_tokens"] == 7


def test_an_event_without_bounds_is_cut_off(gateway, provider):
    id = new_id()
    endless = b"data: " + b"x" * (17 * 1024 * 1024)
    provider.respond_with(
        encode_stream_head(), encode_chunk(make_events(id)[0]), encode_chunk(endless), LAST_CHUNK
    )
    got = ask(gateway)
    error, failed = parse_events(got.content[len(make_events(id)[0]) :])
    assert error["code"] == "event_too_large"
    assert (failed["type"], failed["response"]["id"]) == ("response.failed", id)


def test_a_caller_who_hangs_up_does_not_stop_what_is_paid_for(gateway, provider):
    id = new_id()
    gate = Gate()
    provider.respond_with(
        encode_stream_head(),
        encode_chunk(make_events(id)[0]),
        gate,
        *map(encode_chunk, make_events(id)[1:]),
        LAST_CHUNK,
    )
    with gateway.client() as client, client.stream("POST", "/responses", json=ASK) as got:
        assert next(got.iter_raw())
    gate.open()
    row = gateway.wait_for_row(f"T#acme#R#{id}", lambda row: row["status"] == "completed")
    assert row["usage"]["total_tokens"] == 7
