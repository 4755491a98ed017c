"""TLS: which certificates are trusted, and that a cut is never taken for an end."""

import select
import socket
import ssl
import threading
from contextlib import closing

import certifi
import httpx
import pytest

from antiphon.upstream.transport import LlhttpTransport
from tests.support.upstream import (
    IDLE_SECONDS,
    create_certificate,
    exchange,
    make_server_context,
    request_to,
    run_peer,
)

OK = b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello"
OPEN = b"HTTP/1.1 200 OK\r\n\r\nhello"
HELLO = (200, {"content-length": "5"}, b"hello")


def trusting(path):
    return LlhttpTransport(ssl.create_default_context(cafile=str(path)), IDLE_SECONDS)


@pytest.fixture(scope="module")
def here(tmp_path_factory):
    return create_certificate(tmp_path_factory.mktemp("tls"))


@pytest.fixture
def transport(here):
    with closing(trusting(here)) as made:
        yield made


def test_one_connection_serves_many_requests(transport, here):
    with run_peer(tls=make_server_context(here)) as peer:
        peer.turns.append(peer.respond_with_bytes(OK, answers=3))
        for body in (b"{}", b"x" * 300_000, b""):
            assert exchange(transport, peer.url, "POST", body) == HELLO
        assert peer.bodies == [b"{}", b"x" * 300_000, b""]
        transport.close()


def test_a_response_of_many_records_is_whole(transport, here):
    body = bytes(range(256)) * 4000
    raw = OK.replace(b"5\r\n\r\nhello", b"%d\r\n\r\n" % len(body)) + body
    with run_peer(raw, tls=make_server_context(here)) as peer:
        assert exchange(transport, peer.url)[2] == body


def test_an_idle_connection_that_the_peer_has_ended_is_not_reused(transport, here):
    with run_peer(OK, OK, tls=make_server_context(here)) as peer:
        assert exchange(transport, peer.url) == HELLO
        [[connection]] = transport._pool._idle.values()
        assert select.select([connection.socket], [], [], 5)[0]
        assert exchange(transport, peer.url) == HELLO
        assert connection.socket.fileno() == -1


def test_nothing_is_sent_to_a_peer_whose_certificate_is_not_trusted(here):
    with (
        closing(trusting(certifi.where())) as trusting_others,
        run_peer(OK, OK, tls=make_server_context(here)) as peer,
    ):
        with pytest.raises(httpx.ConnectError):
            exchange(trusting_others, peer.url)
        assert peer.heads == []


def test_nothing_is_sent_to_a_peer_with_a_certificate_for_another_name(tmp_path):
    other = create_certificate(tmp_path, "127.0.0.2")
    with (
        closing(trusting(other)) as transport,
        run_peer(OK, OK, tls=make_server_context(other)) as peer,
    ):
        with pytest.raises(httpx.ConnectError):
            exchange(transport, peer.url)
        assert peer.heads == []


def test_nothing_is_sent_to_a_peer_that_does_not_use_tls(transport):
    def send_plain_text(connection):
        connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    with run_peer(send_plain_text, send_plain_text) as peer, pytest.raises(httpx.ConnectError):
        exchange(transport, peer.url.replace("http", "https"))


def test_a_handshake_that_is_not_answered_is_a_connection_not_made(transport):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"https://127.0.0.1:{silent.getsockname()[1]}/"
        with pytest.raises(httpx.ConnectTimeout):
            exchange(transport, url, timeout={"connect": 0.1})


def test_the_end_of_tls_ends_a_body_without_a_length(transport, here):
    def end(connection):
        peer.respond_with_bytes(OPEN)(connection)
        connection.unwrap()

    with run_peer(end, tls=make_server_context(here)) as peer:
        assert exchange(transport, peer.url) == (200, {}, b"hello")


def test_the_end_of_the_connection_without_the_end_of_tls_is_a_cut(transport, here):
    with run_peer(OPEN, tls=make_server_context(here)) as peer, pytest.raises(httpx.ReadError):
        exchange(transport, peer.url)


@pytest.mark.parametrize("raw", [OK[:-1], OPEN[:-1]], ids=["length", "no length"])
def test_shutting_the_socket_ends_a_read_that_blocks(transport, here, raw):
    def stop(connection):
        peer.respond_with_bytes(raw)(connection)
        connection.recv(1)

    with run_peer(stop, tls=make_server_context(here)) as peer:
        request = request_to(peer.url, "GET", b"", timeout={"read": None})
        with closing(transport.handle_request(request)) as response:
            pieces = iter(response.stream)
            assert next(pieces) == b"hell"
            ours = response.extensions["network_stream"].get_extra_info("socket")
            shut = (ours, socket.SHUT_RDWR)
            threading.Timer(0.05, socket.socket.shutdown, shut).start()
            with pytest.raises(httpx.ReadError):
                next(pieces)
