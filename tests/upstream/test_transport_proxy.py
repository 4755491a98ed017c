"""Connections by a proxy: used where one is configured, as strict as those without one."""

import socket
import ssl
import threading
import traceback
from contextlib import closing, contextmanager, suppress

import httpx
import pytest

from antiphon.upstream.proxy import Proxy
from antiphon.upstream.transport import LlhttpTransport
from tests.support.upstream import (
    IDLE_SECONDS,
    NO_TLS,
    create_certificate,
    exchange,
    make_server_context,
    request_to,
    run_peer,
)

OK = b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello"
OPEN = b"HTTP/1.1 200 OK\r\n\r\nhello"
HELLO = (200, {"content-length": "5"}, b"hello")
NOTHING_LISTENS = "https://127.0.0.1:9/v1"


@pytest.fixture(scope="module")
def here(tmp_path_factory):
    return create_certificate(tmp_path_factory.mktemp("proxy"))


def by_proxy(peer, tls=NO_TLS, no_proxy=""):
    address = f"http{'s' if peer.tls else ''}://us%65r:p%40ss@127.0.0.1:{peer.port}"
    return closing(LlhttpTransport(tls, IDLE_SECONDS, Proxy(address, tls, no_proxy)))


def tunnel(proxy, target):
    """Accepts a CONNECT request and relays bytes both ways."""

    def relay(source, sink):
        with suppress(OSError):
            while data := source.recv(65_536):
                sink.sendall(data)
        with suppress(OSError):
            socket.socket.shutdown(sink, socket.SHUT_WR)

    def converse(connection):
        proxy.read_request(connection)
        with socket.create_connection(("127.0.0.1", target.port)) as upstream:
            connection.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            back = threading.Thread(target=relay, args=(upstream, connection))
            back.start()
            relay(connection, upstream)
            back.join()

    return converse


@pytest.fixture(params=["http", "https"])
def reach(request, here):
    """`reach(turn)` runs a target behind a proxy; yields both, and the transport by the proxy."""

    @contextmanager
    def reach(*turns):
        tls = make_server_context(here)
        trusting = ssl.create_default_context(cafile=str(here))
        with (
            run_peer(*turns, tls=tls) as target,
            run_peer(tls=tls if request.param == "https" else None) as proxy,
            by_proxy(proxy, trusting) as transport,
        ):
            proxy.turns.append(tunnel(proxy, target))
            yield target, proxy, transport

    return reach


def test_plain_http_and_the_hosts_of_no_proxy_are_reached_without_the_proxy():
    with run_peer(OK) as target, run_peer() as proxy:
        with by_proxy(proxy) as transport:
            assert exchange(transport, target.url) == HELLO
        with by_proxy(proxy, no_proxy="127.0.0.1") as transport, pytest.raises(httpx.ConnectError):
            exchange(transport, NOTHING_LISTENS)
        assert proxy.heads == []


def test_a_proxy_opens_one_connection_for_many_requests(reach, monkeypatch):
    monkeypatch.setenv("NO_PROXY", "*")  # only the configuration counts
    with reach() as (target, proxy, transport):
        target.turns.append(target.respond_with_bytes(OK, answers=2))
        for _ in range(2):
            assert exchange(transport, target.url) == HELLO
        [connect] = proxy.heads
        assert connect.startswith(b"CONNECT 127.0.0.1:%d HTTP/1.1\r\n" % target.port)
        assert b"\r\nproxy-authorization: basic dxnlcjpwqhnz\r\n" in connect.lower()
        assert [head.split(b"\r\n")[0] for head in target.heads] == [b"POST /v1 HTTP/1.1"] * 2
        assert not any(b"proxy-authorization" in head.lower() for head in target.heads)
        transport.close()


@pytest.mark.parametrize("is_proxy_trusted", [True, False])
def test_a_target_or_proxy_that_is_not_trusted_receives_nothing(here, is_proxy_trusted):
    tls = make_server_context(here)
    with (
        run_peer(OK, tls=tls) as target,
        run_peer(tls=None if is_proxy_trusted else tls) as proxy,
        by_proxy(proxy, ssl.create_default_context()) as transport,
    ):
        proxy.turns.append(tunnel(proxy, target))
        with pytest.raises(httpx.ConnectError):
            exchange(transport, target.url)
        assert target.heads == []
        assert bool(proxy.heads) is is_proxy_trusted


@pytest.mark.parametrize(
    "refusal",
    [b"HTTP/1.1 403 secret-name\r\ncontent-length: 0\r\n\r\n", b"secret\r\n\r\n", b"", None],
    ids=["refused", "malformed", "closed", "not reached"],
)
def test_a_proxy_that_opens_no_connection_means_that_nothing_was_sent(refusal):
    with run_peer(*[] if refusal is None else [refusal] * 2) as proxy, by_proxy(proxy) as transport:
        if refusal is None:
            proxy.port = 9
        with pytest.raises(httpx.ConnectError) as raised:
            exchange(transport, NOTHING_LISTENS)
        assert "secret" not in "".join(traceback.format_exception(raised.value))


def test_a_silent_proxy_is_a_connection_not_made():
    with socket.create_server(("127.0.0.1", 0)) as silent:
        proxy = Proxy(f"http://127.0.0.1:{silent.getsockname()[1]}", NO_TLS)
        with (
            closing(LlhttpTransport(NO_TLS, IDLE_SECONDS, proxy)) as transport,
            pytest.raises(httpx.ConnectTimeout),
        ):
            exchange(transport, NOTHING_LISTENS, timeout={"connect": 0.1})


@pytest.mark.parametrize("raw", [OK[:-1], OPEN], ids=["length", "no length"])
def test_the_end_of_the_connection_without_the_end_of_tls_is_a_cut(reach, raw):
    with (
        reach(raw) as (target, _, transport),
        pytest.raises((httpx.ReadError, httpx.RemoteProtocolError)),
    ):
        exchange(transport, target.url)


def test_shutting_the_socket_ends_a_read_that_blocks(reach):
    def stop(connection):
        target.respond_with_bytes(OK[:-1])(connection)
        connection.recv(1)

    with reach(stop) as (target, _, transport):
        request = request_to(target.url, timeout={"read": None})
        with closing(transport.handle_request(request)) as response:
            pieces = iter(response.stream)
            assert next(pieces) == b"hell"
            ours = response.extensions["network_stream"].get_extra_info("socket")
            threading.Timer(0.05, socket.socket.shutdown, (ours, socket.SHUT_RDWR)).start()
            with pytest.raises(httpx.ReadError):
                next(pieces)


@pytest.mark.parametrize("address", ["proxy:3128", "socks5://proxy.example", "http://"])
def test_other_addresses_of_a_proxy_are_refused(address):
    with pytest.raises(ValueError, match="address"):
        Proxy(address, NO_TLS)
