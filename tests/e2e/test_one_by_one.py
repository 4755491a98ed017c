"""Events arrive one by one, and the status stays open until the first."""

import time

import pytest

from tests.support.provider import CLOSE, END, Gate, chunk, stream_head
from tests.support.samples import new_id, parse, story

ASK = {"model": "gpt-5", "input": "x", "stream": True}


def test_each_event_arrives_before_the_provider_sends_the_next(gateway, provider, door):
    events = story(new_id())
    gates = [Gate() for _ in events]
    script = [step for one, gate in zip(events, gates, strict=True) for step in (chunk(one), gate)]
    provider.answers(stream_head(), *script, END)
    stamps = []
    with gateway.client(door) as client, client.stream("POST", "/responses", json=ASK) as got:
        pieces = got.iter_raw()
        for one, gate in zip(events, gates, strict=True):
            assert next(pieces) == one  # the next is not sent until the gate is open
            stamps.append(time.monotonic())
            gate.open()
        assert list(pieces) == []
    assert stamps == sorted(stamps)


def test_an_event_in_two_parts_is_passed_on_when_it_is_whole(gateway, provider):
    events = story(new_id())
    gate = Gate()
    half = len(events[1]) // 2
    script = [chunk(events[0]), chunk(events[1][:half]), gate, chunk(events[1][half:])]
    provider.answers(stream_head(), *script, chunk(events[2]), END)
    with gateway.client() as client, client.stream("POST", "/responses", json=ASK) as got:
        pieces = got.iter_raw()
        assert next(pieces) == events[0]
        gate.open()
        assert b"".join(pieces) == events[1] + events[2]


def test_two_requests_are_answered_at_once(gateway, provider):
    first, second = story(new_id()), story(new_id())
    gate = Gate()
    with gateway.client() as client:
        provider.answers(stream_head(), chunk(first[0]), gate, *map(chunk, first[1:]), END)
        with client.stream("POST", "/responses", json=ASK) as slow:
            pieces = slow.iter_raw()
            assert next(pieces) == first[0]
            provider.answers(stream_head(), *map(chunk, second), END)
            assert client.post("/responses", json=ASK).content == b"".join(second)
            gate.open()
            assert b"".join(pieces) == first[1] + first[2]


@pytest.mark.parametrize("held", [b": comment\n\n", b": a\n\n: b\n\n"])
def test_comments_leave_the_status_open(gateway, provider, door, held):
    """The provider breaks off behind comments: nothing has begun, so it is still a 502."""
    provider.answers(stream_head(chunked=False), held, CLOSE)
    with gateway.client(door) as client:
        got = client.post("/responses", json=ASK)
    assert got.status_code == 502
    assert got.json()["error"]["code"] == "upstream_failed"


def test_silence_is_filled_with_comments(hasty, provider, door):
    events = story(new_id())
    gate = Gate()
    provider.answers(stream_head(), chunk(events[0]), gate, *map(chunk, events[1:]), END)
    with hasty.client(door) as client, client.stream("POST", "/responses", json=ASK) as got:
        pieces = got.iter_raw()
        assert next(pieces) == events[0]
        assert next(pieces) == b": ping\n\n"
        assert next(pieces) == b": ping\n\n"
        gate.open()
        rest = b"".join(pieces)
    assert rest.replace(b": ping\n\n", b"") == events[1] + events[2]


def test_a_provider_that_never_begins_is_a_504_that_is_not_tried_again(hasty, provider, door):
    provider.answers(stream_head(), Gate())
    with hasty.client(door) as client:
        got = client.post("/responses", json=ASK)
    assert (got.status_code, got.headers["x-should-retry"]) == (504, "false")
    assert got.json()["error"]["code"] == "upstream_timeout"


def test_the_deadline_of_lambda_ends_a_stream_in_order(hasty, provider, door):
    id = new_id()
    gate = Gate()
    provider.answers(stream_head(), chunk(story(id)[0]), gate)
    with hasty.client(door) as client:
        got = client.post("/responses", json=ASK)
    gate.open()
    created, error, failed = parse(got.content)
    assert created["type"] == "response.created"
    assert (error["type"], error["code"]) == ("error", "gateway_deadline")
    assert error["error"]["code"] == "gateway_deadline"
    assert (failed["type"], failed["response"]["id"]) == ("response.failed", id)
    assert provider.hung_up.wait(10)


def test_the_deadline_of_lambda_ends_a_whole_answer_in_order(hasty, provider):
    provider.answers(Gate())
    with hasty.client() as client:
        got = client.post("/responses", json={"model": "gpt-5", "input": "x"})
    assert got.status_code == 504
    assert got.headers["x-should-retry"] == "false"


def test_events_with_odd_sequence_numbers_can_still_be_ended(gateway, provider):
    provider.answers(stream_head(), chunk(b'data: {"type":"response.created"}\n\n'), END)
    with gateway.client() as client:
        got = client.post("/responses", json=ASK)
    (_, error) = parse(got.content)
    assert (error["type"], error["sequence_number"]) == ("error", 0)
