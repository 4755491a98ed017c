"""Files: what passes is what the provider sent, and what is cut raises in place of an end."""

import json
import time
import tracemalloc
from contextlib import suppress

import httpx
import pytest

from antiphon.errors import DownloadTooLarge, UpstreamFailed, UpstreamTimeout
from antiphon.http import Body
from antiphon.providers.openai import OpenAI
from antiphon.providers.provider import Candidate
from antiphon.settings.config import Gateway
from antiphon.upstream import download
from antiphon.upstream.client import UpstreamClient
from antiphon.upstream.download import MAX_BYTES, Download
from antiphon.upstream.exchange import Exchange
from antiphon.upstream.outcome import UpstreamRequest
from antiphon.upstream.timers import NEVER, ReadTimer
from tests.support.upstream import Over, run_peer

OPENAI = Candidate("openai", OpenAI("https://api.openai.com/v1"), None)
PATH = "/files/file-1/content"
KEY = "sk-credential-of-openai"
FILE = b'{"not":"read"}\r\n' + bytes(range(256)) * 300 + KEY.encode()
PATIENT = Gateway()
CALLER = {"range": "bytes=0-9", "if-range": '"a"', "accept": "application/binary"}


def send(handler, gateway=PATIENT, **request):
    fields = {"headers": CALLER, "is_download": True, **request}
    exchange = Exchange(Over(httpx.MockTransport(handler)), gateway)
    return exchange.send(OPENAI, KEY, UpstreamRequest("GET", PATH, **fields))


def send_to(peer, transport, gateway=PATIENT, **request):
    candidate = Candidate("openai", OpenAI(peer.url), None)
    request = UpstreamRequest("GET", PATH, is_download=True, **request)
    return Exchange(transport, gateway).send(candidate, KEY, request)


def answers(*responses):
    """A handler that gives one answer after the other, and what it received."""
    received, left = [], iter(responses)

    def handler(request):
        received.append(request)
        status, headers, content = next(left)
        return httpx.Response(status, headers=headers, content=content)

    return handler, received


def test_a_file_passes_byte_for_byte_and_its_headers_by_a_list():
    passed = {
        "accept-ranges": "bytes",
        "content-disposition": "attachment; filename*=UTF-8''%C3%A4",
        "content-range": "bytes 0-9/10",
        "content-type": "application/pdf",
        "etag": '"[redacted]"',
    }
    stopped = {"set-cookie": "a=b", "openai-organization": "org-1"}
    handler, (received) = answers((206, {**passed, **stopped, "etag": f'"{KEY}"'}, FILE))
    got = send(handler)
    (request,) = received
    assert CALLER.items() <= request.headers.items()
    assert request.headers["authorization"] == f"Bearer {KEY}"
    reply = got.reply()
    assert isinstance(reply.body, Body)
    assert b"".join(reply.body) == FILE
    assert (reply.status, reply.headers) == (206, {"cache-control": "no-store", **passed})


def test_a_file_without_bytes_is_no_content():
    got = send(answers((200, {}, b""))[0])
    assert (got.status, got.reply().body) == (204, b"")


WIRES = {
    "sized": b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n" + b"x" * 1000,
    "chunked": b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1f4\r\n" + b"x" * 500 + b"\r\n1f4\r\n" + b"x" * 500 + b"\r\n0\r\n\r\n",
}  # fmt: skip


@pytest.mark.parametrize("framing", WIRES)
@pytest.mark.parametrize("missing", [1, 3, 5, 400, 700, 999, 1000])
def test_a_cut_file_raises(transport, framing, missing):
    wire = WIRES[framing][:-missing]
    arrived = wire.count(b"x")
    passed = []

    def read():
        with run_peer(wire) as peer:
            for chunk in send_to(peer, transport).body:
                passed.append(chunk)  # noqa: PERF402  what came before the error counts

    with pytest.raises(UpstreamFailed) as raised:
        read()
    assert raised.value.code == "upstream_failed"
    assert b"".join(passed) == b"x" * arrived


@pytest.mark.parametrize("framing", WIRES)
def test_a_whole_file_does_not_raise(transport, framing):
    with run_peer(WIRES[framing]) as peer:
        got = send_to(peer, transport)
        assert b"".join(got.body) == b"x" * 1000
        got.body.close()
    assert got.body.fault is None


def test_a_file_that_ends_with_its_connection_is_not_passed(transport):
    with (
        run_peer(b"HTTP/1.1 200 OK\r\n\r\nxyz") as peer,
        pytest.raises(UpstreamFailed, match="how long"),
    ):
        send_to(peer, transport)


@pytest.mark.parametrize(
    ("status", "headers", "message"),
    [
        (200, {}, "The file has 200,000,001 bytes"),
        (200, CALLER, "ignores the header Range"),
        (206, CALLER, "The requested part has 200,000,001 bytes"),
    ],
)
def test_what_is_too_large_for_one_response_is_refused_before_it_begins(status, headers, message):
    handler, _ = answers((status, {"content-length": str(MAX_BYTES + 1)}, b"x"))
    with pytest.raises(DownloadTooLarge, match=message) as raised:
        send(handler, headers=headers)
    assert (raised.value.status, raised.value.code, raised.value.retry) == (
        400,
        "download_too_large",
        False,
    )
    if "ignores" not in message:
        assert 'extra_headers={"Range": ' in str(raised.value)


class Pieces(httpx.SyncByteStream):
    def __init__(self, size):
        self.left, self.closed = size, False

    def __iter__(self):
        piece = bytes(65_536)
        while self.left:
            yield piece[: self.left]
            self.left -= min(self.left, len(piece))

    def close(self):
        self.closed = True


@pytest.mark.parametrize("surplus", [0, 1])
def test_a_file_of_unknown_length_passes_up_to_the_limit_and_takes_no_memory(surplus):
    pieces = Pieces(MAX_BYTES + surplus)
    passed = 0
    tracemalloc.start()
    try:
        got = send(lambda _: httpx.Response(200, stream=pieces))
        with suppress(DownloadTooLarge):
            for chunk in got.body:
                passed += len(chunk)
        got.body.close()
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert (got.body.fault is None) == (surplus == 0)
    assert MAX_BYTES - 65_536 * surplus <= passed <= MAX_BYTES
    assert peak < 500_000
    assert pieces.closed


STORE = "https://store.example/a?sig=b%2Bc%3D"


def test_a_redirect_is_followed_once_and_without_the_credential():
    handler, received = answers((302, {"location": STORE}, b""), (200, {}, FILE))
    headers = {**CALLER, "session-id": "s", "openai-beta": "b"}
    got = send(handler, headers=headers)
    assert b"".join(got.body) == FILE
    first, second = received
    assert first.headers["session-id"] == "s"
    assert str(second.url) == STORE
    names = {"accept", "accept-encoding", "connection", "host", "if-range", "range", "user-agent"}
    assert second.headers.keys() == names


def test_a_redirect_to_a_path_stays_at_the_host():
    handler, received = answers((307, {"location": "/raw/1"}, b""), (200, {}, FILE))
    send(handler)
    assert str(received[1].url) == "https://api.openai.com/raw/1"
    assert "authorization" not in received[1].headers


@pytest.mark.parametrize(
    "location",
    ["", "http://store.example/a", "http://127.0.0.1:9001/2018-06-01/runtime/invocation/next", "https://a:b@store.example/", "ftp://store.example/", "https://[::1"],
)  # fmt: skip
def test_a_redirect_to_anything_else_than_https_is_an_error(location):
    handler, received = answers(
        (302, {"location": location} if location else {}, b""), (302, {}, b"")
    )
    with pytest.raises(UpstreamFailed, match="redirect"):
        send(handler)
    assert len(received) == 1


def test_plain_http_is_followed_between_loopback_addresses(transport):
    with run_peer(WIRES["sized"]) as store:
        redirect = f"HTTP/1.1 302 F\r\nlocation: {store.url}\r\ncontent-length: 0\r\n\r\n".encode()
        with run_peer(redirect) as peer:
            assert b"".join(send_to(peer, transport).body) == b"x" * 1000
    assert KEY.encode() in peer.heads[0]
    assert KEY.encode() not in store.heads[0]


@pytest.mark.parametrize("status", [302, 401, 403])
def test_a_second_redirect_or_a_refusal_there_is_an_error_of_the_provider(status):
    there = (status, {"location": STORE}, b"<xml>")
    handler, received = answers((302, {"location": STORE}, b""), there)
    with pytest.raises(UpstreamFailed, match="redirect"):
        send(handler)
    assert len(received) == 2


@pytest.mark.parametrize("redirects", [0, 1])
@pytest.mark.parametrize("status", [400, 404, 416, 500])
def test_an_error_is_passed_like_every_other(status, redirects):
    body = json.dumps({"error": {"message": f"org-AbCdEf12345 {KEY}"}}).encode()
    answer = (status, {"content-range": "bytes */10"}, body)
    handler, _ = answers(*[(302, {"location": STORE}, b"")] * redirects, answer)
    got = send(handler)
    assert (got.status, got.headers["content-range"]) == (status, "bytes */10")
    assert got.content.startswith(b'{"error": {"message": "org-redacted ')
    assert KEY.encode() not in got.content


def test_without_is_download_a_file_is_no_answer():
    with pytest.raises(UpstreamFailed, match="in place of JSON"):
        send(answers((200, {"content-type": "application/pdf"}, b"%PDF"))[0], is_download=False)


HEAD = b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n"


def stay(connection):
    connection.recv(1)


def silent(peer, *pieces):
    """Sends the pieces and stays connected."""

    def converse(connection):
        peer.respond_with_bytes(*pieces)(connection)
        stay(connection)

    return converse


@pytest.mark.parametrize(
    ("limits", "pieces", "code"),
    [
        ({"first_event_seconds": 0.1}, [], "upstream_timeout"),
        ({"first_event_seconds": 0.1}, [HEAD], "upstream_timeout"),
        ({"idle_seconds": 0.1}, [HEAD, b"x"], "upstream_timeout"),
        ({}, [HEAD], "gateway_deadline"),
        ({}, [HEAD, b"x"], "gateway_deadline"),
    ],
)
def test_a_provider_that_is_silent_is_not_waited_for(transport, limits, pieces, code):
    ends_at = time.monotonic() + (60 if limits else 0.4)
    with run_peer() as peer:
        peer.turns.append(silent(peer, *pieces))
        with pytest.raises(UpstreamTimeout) as raised:
            list(send_to(peer, transport, Gateway(**limits), ends_at=ends_at).body)
    assert raised.value.code == code


def test_a_stop_of_the_gateway_breaks_a_file_off(transport):
    with run_peer() as peer:
        peer.turns.append(silent(peer, HEAD, b"x"))
        got = send_to(peer, transport)
        got.body.interrupt()
        with pytest.raises(UpstreamTimeout) as raised:
            b"".join(got.body)
        got.body.close()
    assert raised.value.code == "gateway_stopped"


def test_a_caller_may_take_its_time():
    timer = ReadTimer(None, NEVER, max_silence=1)
    file = Download(iter([b"a", b"b"]), timer, lambda: None, max_silence=5)
    file.open()
    chunks = iter(file)
    assert (next(chunks), timer.next_deadline()) == (b"a", NEVER)
    assert (next(chunks), timer.next_deadline()) == (b"b", NEVER)
    assert (list(chunks), timer.next_deadline() < NEVER) == ([], True)


def test_a_break_is_logged_by_its_code_and_length(transport, monkeypatch):
    lines = []
    monkeypatch.setattr(download.logger, "warning", lambda text, extra: lines.append((text, extra)))
    with run_peer(WIRES["sized"][:-1]) as peer, pytest.raises(UpstreamFailed):
        list(send_to(peer, transport).body)
    assert lines == [("download broken", {"code": "upstream_failed", "bytes": 999})]


class Key:
    def get(self, _target):
        return KEY


NOT_FOUND = b'HTTP/1.1 404 N\r\ncontent-length: 12\r\nconnection: close\r\n\r\n{"error":{}}'
CLOSING = WIRES["sized"].replace(b"\r\n", b"\r\nconnection: close\r\n", 1)


@pytest.mark.parametrize(
    ("wire", "is_download", "is_open"),
    [
        (NOT_FOUND, True, False),
        (NOT_FOUND, False, False),
        (CLOSING, True, False),
        (CLOSING[:-1], True, True),
    ],
    ids=["missing file", "missing resource", "whole", "cut"],
)
def test_only_a_file_that_breaks_counts_against_its_target(
    two, transport, wire, is_download, is_open
):
    here, _ = two
    client = UpstreamClient(Exchange(transport, PATIENT), Key(), here.breaker, 35)
    request = UpstreamRequest("GET", PATH, is_download=is_download)
    with run_peer(*[wire] * 3) as peer:
        for _ in range(3):
            got = client.send([Candidate("a", OpenAI(peer.url), None)], request)
            if isinstance(got.body, Download):
                with suppress(UpstreamFailed):
                    list(got.body)
                got.body.close()
    assert (here.order()[0] != "a") == is_open
