"""Connections that fail, exchanges that take too long, and reads that another thread ends."""

import socket
import threading
import time
from contextlib import closing

import httpx
import pytest

from antiphon.upstream import transport as transports
from antiphon.upstream.http1 import build_request
from tests.support.upstream import exchange, request_to, run_peer

OK = b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello"
HELLO = (200, {"content-length": "5"}, b"hello")
NOTHING_SENT = (httpx.ConnectError, httpx.ConnectTimeout)


def test_a_refused_connection_is_attempted_twice_and_nothing_is_sent(transport, monkeypatch):
    attempts = []

    def refuse(address, seconds):
        attempts.append((address, seconds))
        raise ConnectionRefusedError(111, "address 127.0.0.1")

    monkeypatch.setattr(transports.socket, "create_connection", refuse)
    with pytest.raises(httpx.ConnectError) as raised:
        exchange(transport, "http://127.0.0.1:9/")
    assert [address for address, _ in attempts] == [("127.0.0.1", 9)] * 2
    assert "127" not in str(raised.value)


@pytest.mark.parametrize(
    ("raised", "expected"),
    [
        (TimeoutError(), httpx.ConnectTimeout),
        (socket.gaierror(-2, "Name or service not known"), httpx.ConnectError),
        (OSError(101, "Network is unreachable"), httpx.ConnectError),
        (UnicodeError("label too long"), httpx.ConnectError),
    ],
)
def test_every_failed_connection_means_that_nothing_was_sent(
    transport, monkeypatch, raised, expected
):
    def fail(*_):
        raise raised

    monkeypatch.setattr(transports.socket, "create_connection", fail)
    with pytest.raises(NOTHING_SENT) as found:
        exchange(transport, "http://127.0.0.1/")
    assert type(found.value) is expected


@pytest.mark.parametrize("failure", [ConnectionRefusedError, TimeoutError])
def test_the_second_attempt_may_succeed(transport, monkeypatch, failure):
    connect, attempts = socket.create_connection, []

    def succeed_at_second(*address):
        attempts.append(address)
        if len(attempts) == 1:
            raise failure
        return connect(*address)

    with run_peer(OK) as peer:
        monkeypatch.setattr(transports.socket, "create_connection", succeed_at_second)
        assert exchange(transport, peer.url) == HELLO


@pytest.mark.parametrize("url", ["http://127.0.0.1:9/", "http://localhost:9/"])
def test_without_time_left_no_connection_is_made(transport, monkeypatch, url):
    monkeypatch.setattr(transports.socket, "create_connection", pytest.fail)
    with pytest.raises(httpx.ConnectTimeout):
        exchange(transport, url, ends_at=0.0)


def test_a_name_that_is_not_resolved_in_time_is_a_connect_timeout(transport, monkeypatch):
    is_over = threading.Event()
    monkeypatch.setattr(transports.socket, "getaddrinfo", lambda *_, **__: is_over.wait(20))
    with pytest.raises(httpx.ConnectTimeout):
        exchange(transport, "http://h/", timeout={"connect": 0.1})
    is_over.set()


def test_each_address_of_a_host_is_tried(transport, monkeypatch):
    with run_peer(OK) as peer:
        addresses = [("127.0.0.1", 9), ("127.0.0.1", peer.port)]
        found = [(socket.AF_INET, socket.SOCK_STREAM, 0, "", address) for address in addresses]
        resolve = socket.getaddrinfo
        monkeypatch.setattr(
            transports.socket,
            "getaddrinfo",
            lambda host, *more, **named: found if host == "h" else resolve(host, *more, **named),
        )
        assert exchange(transport, f"http://h:{peer.port}/") == HELLO


@pytest.mark.parametrize("body", [b"", bytes(30_000_000)], ids=["head", "body"])
def test_the_end_of_the_time_ends_every_step(transport, body):
    is_over = threading.Event()
    with run_peer(lambda _: is_over.wait(20)) as peer:
        with pytest.raises((httpx.ReadTimeout, httpx.WriteTimeout)):
            exchange(transport, peer.url, "POST", body, ends_at=time.monotonic() + 0.2)
        is_over.set()


def receive_all(connection):
    while connection.recv(65_536):
        pass


@pytest.mark.parametrize(
    "seconds",
    [
        {"head_timeout": 0.2},
        {"timeout": {"read": 0.2}},
        {"head_timeout": 0.2, "timeout": {"read": None}},
    ],
    ids=["head", "read", "head without read"],
)
def test_the_head_has_one_deadline_however_its_bytes_arrive(transport, seconds):
    def drip(connection):
        connection.recv(65_536)
        for byte in OK:
            connection.sendall(bytes([byte]))
            is_over.wait(0.05)

    is_over = threading.Event()
    with run_peer(drip, receive_all) as peer:
        for _ in range(2):
            with pytest.raises(httpx.ReadTimeout):
                exchange(transport, peer.url, **seconds)
        is_over.set()


def test_interim_responses_do_not_extend_the_deadline_of_the_head(transport):
    def send_interim_responses(connection):
        connection.recv(65_536)
        while not is_over.wait(0.02):
            connection.sendall(b"HTTP/1.1 102 Processing\r\n\r\n")

    is_over = threading.Event()
    with run_peer(send_interim_responses) as peer:
        with pytest.raises(httpx.ReadTimeout):
            exchange(transport, peer.url, head_timeout=0.2)
        is_over.set()


def test_a_body_has_the_read_timeout_for_each_read(transport):
    def stop(connection):
        connection.sendall(OK[:-1])
        receive_all(connection)

    with run_peer(stop) as peer, pytest.raises(httpx.ReadTimeout):
        exchange(transport, peer.url, timeout={"read": 0.1}, head_timeout=5)


@pytest.mark.parametrize("seconds", [None, 3.0])
def test_the_deadline_of_the_head_ends_with_the_head(transport, seconds):
    request = {"timeout": {"read": seconds}, "head_timeout": 2.0}
    with (
        run_peer(OK) as peer,
        closing(transport.handle_request(request_to(peer.url, **request))) as response,
    ):
        ours = response.extensions["network_stream"].get_extra_info("socket")
        assert ours.gettimeout() == seconds
        assert response.read() == b"hello"


def test_a_request_that_is_not_taken_in_time_is_a_write_timeout(transport):
    is_over = threading.Event()
    with run_peer(lambda _: is_over.wait(5)) as peer:
        with pytest.raises(httpx.WriteTimeout):
            exchange(transport, peer.url, "POST", bytes(30_000_000), timeout={"write": 0.1})
        is_over.set()


def test_without_extensions_nothing_has_a_limit(transport):
    with (
        run_peer(OK) as peer,
        closing(transport.handle_request(build_request("GET", peer.url, {}))) as response,
    ):
        stream = response.extensions["network_stream"]
        assert stream.get_extra_info("socket").gettimeout() is None
        assert stream.get_extra_info("client_addr") is None
        assert response.read() == b"hello"


def test_an_idle_connection_gets_the_timeouts_of_the_next_request(transport):
    def respond_once(connection):
        peer.respond_with_bytes(OK)(connection)
        receive_all(connection)

    with run_peer(respond_once) as peer:
        assert exchange(transport, peer.url, timeout={"read": None}) == HELLO
        with pytest.raises(httpx.ReadTimeout):
            exchange(transport, peer.url, timeout={"read": 0.1})


def test_shutting_the_socket_ends_a_read_that_blocks(transport):
    def stop(connection):
        connection.sendall(OK[:-1])
        receive_all(connection)

    with run_peer(stop) as peer:
        request = request_to(peer.url, "GET", b"", timeout={"read": None})
        with closing(transport.handle_request(request)) as response:
            pieces = iter(response.stream)
            assert next(pieces) == b"hell"
            shut = response.extensions["network_stream"].get_extra_info("socket").shutdown
            threading.Timer(0.05, shut, [socket.SHUT_RDWR]).start()
            with pytest.raises(httpx.RemoteProtocolError, match="connection ended before"):
                next(pieces)


def test_a_connection_that_is_reset_is_a_read_error(transport):
    def reset(connection):
        peer.respond_with_bytes(OK[:-1])(connection)
        is_read.wait(5)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")

    is_read = threading.Event()
    with (
        run_peer(reset) as peer,
        closing(transport.handle_request(request_to(peer.url))) as response,
    ):
        pieces = iter(response.stream)
        assert next(pieces) == b"hell"
        is_read.set()
        with pytest.raises(httpx.ReadError):
            next(pieces)
