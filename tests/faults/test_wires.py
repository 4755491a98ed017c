"""A wire to the provider that is slow, sliced, cut, or swallows everything."""

import json

import pytest

from tests.faults.tcp_shim import HEALTHY, Toxic
from tests.support.events import make_events, make_response, new_id, parse_events
from tests.support.provider import encode_response, encode_stream

PING = b": ping\n\n"  # of the gateway, where a busy machine makes a slow answer slower
CLOSING = {"connection": "close"}  # the shim counts the bytes of each connection


@pytest.fixture
def wire(shim):
    """The shim, healthy before and after the test."""
    shim.toxic = HEALTHY
    yield shim
    shim.toxic = HEALTHY


@pytest.fixture
def create(impatient, provider):
    """Send one create to the provider behind the shim; returns its id and the answer."""

    def create(*, stream):
        id = new_id()
        answer = encode_response(json.dumps(make_response(id)).encode(), **CLOSING)
        provider.respond_with(encode_stream(*make_events(id), **CLOSING) if stream else answer)
        with impatient.client() as client:
            body = {"model": "shimmed", "input": "x", "stream": stream}
            return id, client.post("/responses", json=body)

    return create


@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize(
    "toxic",
    [Toxic(), Toxic(latency_seconds=0.1), Toxic(slice_bytes=1), Toxic(0.001, 7)],
    ids=["healthy", "slow", "byte by byte", "slow and sliced"],
)
def test_a_slow_or_sliced_answer_is_the_same(create, wire, toxic, stream):
    wire.toxic = toxic
    id, got = create(stream=stream)
    body = b"".join(make_events(id)) if stream else json.dumps(make_response(id)).encode()
    assert (got.status_code, got.content.replace(PING, b"")) == (200, body)


@pytest.mark.parametrize(("limit", "end"), [(0, "FIN"), (40, "RST"), (200, "hole")])
def test_an_answer_that_is_lost_on_its_way_is_an_error(create, wire, end, limit, provider):
    wire.toxic = Toxic(limit_bytes=limit, end=end)
    _, got = create(stream=True)
    assert got.status_code == (504 if end == "hole" else 502)
    assert got.headers["x-should-retry"] == "false"
    assert len(provider.received) == 1


@pytest.mark.parametrize("end", ["FIN", "RST", "hole"])
def test_a_stream_that_is_lost_on_its_way_ends_with_the_pair(create, wire, end):
    head = encode_stream(**CLOSING).index(b"\r\n\r\n")
    wire.toxic = Toxic(
        limit_bytes=head + len(make_events(new_id())[0]) + 60, end=end, slice_bytes=99
    )
    id, got = create(stream=True)
    assert got.status_code == 200
    created, error, failed = parse_events(got.content)
    assert created["response"]["id"] == failed["response"]["id"] == id
    assert (error["type"], failed["type"]) == ("error", "response.failed")


def test_a_connection_that_is_reset_before_the_request_was_read(create, wire, provider):
    """It was accepted, so that nobody knows whether the provider read the request.

    Where it was reset before the gateway had it, nothing was sent.
    """
    wire.toxic = Toxic(refuses=True)
    _, got = create(stream=True)
    retry = {"upstream_failed": "false", "upstream_not_reached": None}
    code = got.json()["error"]["code"]
    assert (got.status_code, got.headers.get("x-should-retry")) == (502, retry[code])
    assert provider.received == []
