"""Streams that fail after they began: what their circuit learns, and which move to another target."""

import json
import socket

import httpx
import pytest

from antiphon.settings.config import Gateway
from antiphon.sse import EventSplitter
from antiphon.upstream.circuit_breaker import CircuitBreaker
from antiphon.upstream.client import UpstreamClient
from antiphon.upstream.exchange import Exchange
from antiphon.upstream.outcome import UpstreamRequest
from antiphon.upstream.stream import UpstreamStream
from antiphon.upstream.timers import ReadTimer
from tests.support.events import make_event, make_events, make_response
from tests.support.upstream import Over
from tests.upstream.test_client import ClosedCircuits, Credentials, candidates

EVENTS = {"content-type": "text/event-stream"}
CREATED, DELTA, COMPLETED = make_events("resp_1")
BEGUN = CREATED + make_event(
    "response.in_progress", 1, response=make_response("resp_1", "in_progress")
)
WHOLE = b"".join(make_events("resp_2"))
PING = b'data: {"type":"keepalive"}\n\n: comment\n\n'


def failed(code, **more):
    error = {"code": code, "message": "m"}
    response = make_response("resp_1", "failed", error=error, **more)
    return make_event("response.failed", 2, response=response)


def flat_error(code):
    return make_event("error", 2, code=code, message="m", error={"code": code})


class Targets:
    """Each host is a target that streams these bytes, cut where they do not end."""

    def __init__(self, **streams):
        self.streams = streams
        self.calls = []

    def __call__(self, request):
        self.calls.append(request.url.host)
        return httpx.Response(200, headers=EVENTS, content=self.streams[request.url.host])


class OpenedCircuits(ClosedCircuits):
    def __init__(self):
        self.opened = []

    def open(self, target, _until):
        self.opened.append(target)


def make_client(targets, hold=0.0, circuits=None):
    gateway = Gateway(hold_lifecycle_events=hold)
    exchange = Exchange(Over(httpx.MockTransport(targets)), gateway)
    breaker = CircuitBreaker(circuits or ClosedCircuits(), 3, 30)
    return UpstreamClient(exchange, Credentials(), breaker, 35)


def send(client, *names, on_abandoned=None):
    request = UpstreamRequest(
        "POST", "/responses", body=b"{}", streams=True, on_abandoned=on_abandoned
    )
    response = client.send(candidates(*names), request)
    data = b"".join(batch.data for batch in response.body)
    response.body.close()
    return response.target, data


@pytest.mark.parametrize(
    ("stream", "counts"),
    [
        (BEGUN + failed("server_is_overloaded"), True),
        (BEGUN + DELTA + failed("server_is_overloaded"), True),
        (BEGUN + flat_error("slow_down"), True),
        (BEGUN + failed("rate_limit_exceeded"), True),
        (BEGUN + failed("server_error"), True),
        (BEGUN, True),  # cut by its provider
        (BEGUN + failed("invalid_prompt"), False),
        (WHOLE, False),
    ],
    ids=["failed", "late", "error", "rate", "server", "cut", "invalid", "completed"],
)
def test_the_circuit_learns_from_the_end_of_a_stream(stream, counts):
    circuits = OpenedCircuits()
    client = make_client(Targets(first=stream), circuits=circuits)
    for _ in range(3):
        send(client, "first")
    assert circuits.opened == (["first"] if counts else [])


def test_a_stream_that_completes_resets_the_count():
    circuits, targets = OpenedCircuits(), Targets()
    client = make_client(targets, circuits=circuits)
    for stream in [BEGUN, BEGUN, WHOLE, BEGUN, BEGUN]:
        targets.streams["first"] = stream
        send(client, "first")
    assert circuits.opened == []


@pytest.mark.parametrize(
    "end",
    [
        failed("server_is_overloaded"),
        failed("rate_limit_exceeded"),
        flat_error("server_is_overloaded"),
        PING + failed("slow_down"),
    ],
)
def test_a_held_stream_without_output_moves_to_the_next_target(end):
    abandoned = []
    targets = Targets(first=BEGUN + end, second=WHOLE)
    client = make_client(targets, hold=5)
    assert send(client, "first", "second", on_abandoned=abandoned.append) == ("second", WHOLE)
    (first,) = abandoned
    assert first.target == "first"
    assert b"".join(batch.data for batch in first.body) == BEGUN + end


@pytest.mark.parametrize(
    ("stream", "hold", "may_move"),
    [
        (BEGUN + failed("server_is_overloaded"), 0, True),
        (BEGUN + failed("server_is_overloaded"), 5, False),
        (BEGUN + DELTA + failed("server_is_overloaded"), 5, True),
        (BEGUN + failed("server_is_overloaded", usage={"total_tokens": 3}), 5, True),
        (BEGUN + failed("server_error"), 5, True),
        (BEGUN + failed("invalid_prompt"), 5, True),
        (BEGUN + COMPLETED, 5, True),
    ],
    ids=["not held", "pinned", "output", "paid", "unclear", "invalid", "completed"],
)
def test_every_other_stream_stays_where_it_began(stream, hold, may_move):
    abandoned = []
    targets = Targets(first=stream, second=WHOLE)
    client = make_client(targets, hold)
    on_abandoned = abandoned.append if may_move else None
    assert send(client, "first", "second", on_abandoned=on_abandoned) == ("first", stream)
    assert (targets.calls, abandoned) == (["first"], [])


def test_a_held_stream_that_is_cut_ends_with_the_pair():
    targets = Targets(first=BEGUN, second=WHOLE)
    target, data = send(make_client(targets, 5), "first", "second", on_abandoned=pytest.fail)
    assert (target, targets.calls) == ("first", ["first"])
    assert data.startswith(BEGUN + b"event: error")


def test_if_all_targets_are_overloaded_the_first_one_s_events_are_returned():
    abandoned = []
    first, second = BEGUN + failed("server_is_overloaded"), WHOLE[: WHOLE.index(b"\n\n") + 2]
    targets = Targets(first=first, second=second + failed("slow_down"))
    got = send(make_client(targets, 5), "first", "second", on_abandoned=abandoned.append)
    assert got == ("first", first)
    assert [response.target for response in abandoned] == ["second"]


def test_what_is_held_passes_when_the_time_is_over():
    ours, theirs = socket.socketpair()
    with ours, theirs:
        chunks = iter([CREATED])
        timer = ReadTimer(ours, float("inf"))
        stream = UpstreamStream(chunks, timer, lambda: None, EventSplitter())
        stream.open(280, hold_seconds=0.01)  # reading again would end the stream
        assert next(iter(stream)).data == CREATED
        assert not stream.ended_without_output


def test_the_errors_of_a_stream_are_read_in_each_shape():
    for error in ({"code": "slow_down"}, {"error": {"code": "slow_down"}}):
        data = json.dumps({"type": "error", **error}).encode()
        stream = UpstreamStream(
            [CREATED + b"data: " + data + b"\n\n"],
            ReadTimer(None, float("inf")),
            lambda: None,
            EventSplitter(),
        )
        stream.open(280)
        assert stream.error_code == "slow_down"
