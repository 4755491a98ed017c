"""A stream whose reader stops, or whose gateway is stopped, ends in order."""

import json
import socket

import httpx
import pytest

from tests.conftest import configuration
from tests.support.events import make_event, make_events, make_response, new_id, parse_events
from tests.support.gateway import KEYS, run_gateway
from tests.support.provider import Gate, encode_chunk, encode_response, encode_stream_head

ASK = {"model": "gpt-5", "input": "x", "stream": True}
MEGABYTE = make_event("response.output_text.delta", 1, item_id="msg_1", delta="x" * (1 << 20))


@pytest.fixture
def start(tmp_path, provider, issuer):
    """Start a gateway of the test's own, with the time limit that its function has."""
    config = tmp_path / "gateway.toml"
    config.write_text(configuration(provider, issuer))

    def start(seconds):
        options = ("--concurrency", "1", "--timeout", str(seconds))
        return run_gateway(config, tmp_path / "ready.json", *options)

    return start


@pytest.fixture
def patient(start):
    """A gateway that leaves an eighth of its limit, three seconds, to what follows a stream.

    A busy machine needs more than the half second of a limit of four seconds.
    """
    with start(24) as running:
        yield running


def test_a_reader_that_stops_reading_leaves_a_link_that_is_followed(patient, provider):
    id = new_id()
    created = encode_chunk(make_events(id)[0])
    # More than all buffers on the way to the caller.
    provider.respond_with(encode_stream_head(), created, *[encode_chunk(MEGABYTE)] * 64)
    provider.respond_to_settle(id, encode_response(json.dumps(make_response(id)).encode()))
    url, body = httpx.URL(patient.url), json.dumps(ASK).encode()
    request = httpx.Request("POST", f"{url}/responses", content=body).headers
    head = f"POST {url.path}/responses HTTP/1.1\r\nauthorization: Bearer {KEYS['acme']}\r\n"
    fields = "".join(f"{name}: {value}\r\n" for name, value in request.items())
    with socket.create_connection((url.host, url.port)) as caller:
        caller.sendall((head + fields + "\r\n").encode() + body)
        row = patient.wait_for_row(f"T#acme#R#{id}", lambda row: row["status"] == "completed")
    assert row["unfinished"] is None
    assert row["usage"]["total_tokens"] == 7
    assert provider.hung_up.is_set()


def test_sigterm_ends_a_stream_with_the_pair(start, provider):
    id, gate = new_id(), Gate()
    created = make_events(id)[0]
    provider.respond_with(encode_stream_head(), encode_chunk(created), gate)
    headers = {"authorization": f"Bearer {KEYS['acme']}"}
    with httpx.Client(headers=headers, trust_env=False, timeout=60) as client:
        with start(900) as gateway:
            request = client.build_request("POST", f"{gateway.url}/responses", json=ASK)
            pieces = client.send(request, stream=True).iter_raw()
            assert next(pieces) == created
        error, failed = parse_events(b"".join(pieces))
    assert error["error"]["code"] == "gateway_stopped"
    assert (failed["type"], failed["response"]["id"]) == ("response.failed", id)
