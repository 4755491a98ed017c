"""The transport by a proxy: chosen where one is configured, with the checks of the other one."""

import gzip
import socket
import ssl
import threading
import traceback
from contextlib import closing, suppress

import httpx
import pytest

from antiphon.upstream.transport import LlhttpTransport, ProxyTransport, default_transport
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
HELLO = (200, {"content-length": "5"}, b"hello")
NOTHING_LISTENS = "http://127.0.0.1:9/v1"


def by_proxy(peer, tls=NO_TLS):
    return closing(ProxyTransport(tls, IDLE_SECONDS, f"http://user:pass@127.0.0.1:{peer.port}"))


def tunnel(proxy, target):
    """Accepts a CONNECT request and relays bytes both ways."""

    def relay(source, sink):
        with suppress(OSError):
            while data := source.recv(65_536):
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)

    def converse(connection):
        proxy.read_request(connection)
        with socket.create_connection(("127.0.0.1", target.port)) as upstream:
            connection.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            back = threading.Thread(target=relay, args=(upstream, connection))
            back.start()
            relay(connection, upstream)
            back.join()

    return converse


def test_without_a_proxy_the_transport_is_ours():
    with closing(default_transport(NO_TLS, IDLE_SECONDS, None)) as transport:
        assert isinstance(transport, LlhttpTransport)


def test_plain_http_and_the_hosts_of_no_proxy_are_reached_without_the_proxy():
    with run_peer(OK) as target, run_peer() as proxy:
        address = f"http://127.0.0.1:{proxy.port}"
        with closing(default_transport(NO_TLS, IDLE_SECONDS, address)) as transport:
            assert exchange(transport, target.url) == HELLO
        assert proxy.heads == []


def test_https_goes_through_the_proxy_unless_no_proxy_names_the_host():
    with run_peer(b"HTTP/1.1 403 No\r\ncontent-length: 0\r\n\r\n") as proxy:
        address = f"http://127.0.0.1:{proxy.port}"
        with (
            closing(default_transport(NO_TLS, IDLE_SECONDS, address)) as transport,
            pytest.raises(httpx.ConnectError),
        ):
            exchange(transport, NOTHING_LISTENS.replace("http", "https"))
        assert proxy.heads[0].startswith(b"CONNECT 127.0.0.1:9 ")
    with (
        run_peer() as proxy,
        closing(default_transport(NO_TLS, 1.0, f"http://127.0.0.1:{proxy.port}", "127.0.0.1")) as t,
    ):
        with pytest.raises(httpx.ConnectError):
            exchange(t, NOTHING_LISTENS.replace("http", "https"))
        assert proxy.heads == []


def test_a_proxy_receives_the_request_for_plain_http():
    with run_peer(OK) as proxy, by_proxy(proxy) as transport:
        assert isinstance(transport, httpx.HTTPTransport)
        assert exchange(transport, f"{NOTHING_LISTENS}/x?a=b") == HELLO
        [head], [body] = proxy.heads, proxy.bodies
        assert head.startswith(b"POST http://127.0.0.1:9/v1/x?a=b HTTP/1.1\r\n")
        assert b"\r\nproxy-authorization: basic dxnlcjpwyxnz\r\n" in head.lower()
        assert body == b"{}"


def test_a_proxy_connects_for_https(tmp_path):
    here = create_certificate(tmp_path)
    trusting = ssl.create_default_context(cafile=str(here))
    with (
        run_peer(tls=make_server_context(here)) as target,
        run_peer() as proxy,
        by_proxy(proxy, trusting) as transport,
    ):
        target.turns.append(target.respond_with_bytes(OK, answers=2))
        proxy.turns.append(tunnel(proxy, target))
        for _ in range(2):
            assert exchange(transport, target.url) == HELLO
        [connect] = proxy.heads
        assert connect.startswith(b"CONNECT 127.0.0.1:%d HTTP/1.1\r\n" % target.port)
        assert [head.split(b"\r\n")[0] for head in target.heads] == [b"POST /v1 HTTP/1.1"] * 2
        assert not any(b"proxy-authorization" in head.lower() for head in target.heads)
        transport.close()


def test_a_target_that_is_not_trusted_receives_nothing_by_the_proxy(tmp_path):
    here = create_certificate(tmp_path)
    with (
        run_peer(OK, tls=make_server_context(here)) as target,
        run_peer() as proxy,
        by_proxy(proxy, ssl.create_default_context()) as transport,
    ):
        proxy.turns.append(tunnel(proxy, target))
        with pytest.raises(httpx.ConnectError):
            exchange(transport, target.url)
        assert target.heads == []


def test_a_proxy_that_refuses_to_connect_means_that_nothing_was_sent():
    refusal = b"HTTP/1.1 403 secret-name\r\ncontent-length: 0\r\n\r\n"
    with run_peer(refusal) as proxy, by_proxy(proxy) as transport:
        with pytest.raises(httpx.ConnectError) as raised:
            exchange(transport, NOTHING_LISTENS.replace("http", "https"))
        assert "secret" not in "".join(traceback.format_exception(raised.value))


def test_a_proxy_that_is_not_reached_means_that_nothing_was_sent():
    with (
        closing(ProxyTransport(NO_TLS, IDLE_SECONDS, "http://127.0.0.1:9")) as transport,
        pytest.raises(httpx.ConnectError) as raised,
    ):
        exchange(transport, NOTHING_LISTENS)
    assert str(raised.value) == "The exchange by the proxy failed."


@pytest.mark.parametrize(
    "raw",
    [
        b"secret\r\n\r\n",
        OK[:-1],
        OK.replace(b"content-l", b"content-encoding: br\r\ncontent-l"),
        OK.replace(b"content-l", b"content-encoding: gzip\r\ncontent-l"),
        b"HTTP/1.1 101 Switching Protocols\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\n\r\n" + gzip.compress(b"hello")[:-3],
        b"",
    ],
    ids=["malformed", "cut", "br", "no gzip", "101", "gzip cut", "nothing"],
)
def test_a_response_is_checked_and_errors_do_not_repeat_it(raw):
    with run_peer(raw) as proxy, by_proxy(proxy) as transport:
        with pytest.raises(httpx.RemoteProtocolError) as raised:
            exchange(transport, NOTHING_LISTENS)
        assert "secret" not in "".join(traceback.format_exception(raised.value))


def test_gzip_is_decoded():
    packed = gzip.compress(b"hello")
    raw = b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: %d\r\n\r\n" % len(packed)
    with run_peer(raw + packed) as proxy, by_proxy(proxy) as transport:
        assert exchange(transport, NOTHING_LISTENS) == (200, {}, b"hello")


def test_the_head_has_its_timeout_and_the_body_another():
    def pause(connection):
        proxy.respond_with_bytes(OK[:-1])(connection)
        is_over.wait(0.4)
        connection.sendall(OK[-1:])

    is_over = threading.Event()
    with run_peer(pause) as proxy, by_proxy(proxy) as transport:
        limits = {"timeout": {"read": None}, "head_timeout": 0.2}
        assert exchange(transport, NOTHING_LISTENS, **limits) == HELLO
    with (
        run_peer(lambda _: is_over.wait(5)) as proxy,
        by_proxy(proxy) as transport,
    ):
        with pytest.raises(httpx.ReadTimeout):
            exchange(transport, NOTHING_LISTENS, **limits)
        is_over.set()


def test_shutting_the_socket_ends_a_read_that_blocks():
    def stop(connection):
        proxy.respond_with_bytes(OK[:-1])(connection)
        connection.recv(1)

    with run_peer(stop) as proxy, by_proxy(proxy) as transport:
        request = request_to(NOTHING_LISTENS, timeout={"read": None})
        with closing(transport.handle_request(request)) as response:
            pieces = iter(response.stream)
            assert next(pieces) == b"hell"
            ours = response.extensions["network_stream"].get_extra_info("socket")
            threading.Timer(0.05, socket.socket.shutdown, (ours, socket.SHUT_RDWR)).start()
            with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
                next(pieces)


def test_the_proxy_of_the_environment_is_not_used(monkeypatch):
    monkeypatch.setenv("NO_PROXY", "*")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    with run_peer(OK) as proxy, by_proxy(proxy) as transport:
        assert isinstance(transport, ProxyTransport)
        assert exchange(transport, NOTHING_LISTENS) == HELLO
