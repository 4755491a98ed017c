"""Connections: attempted twice, reused while they are alive, and never for a second sending."""

import socket
import threading
from contextlib import closing, suppress

import httpx
import pytest

from antiphon.upstream import transport as transports
from tests.support.upstream import IDLE_SECONDS, exchange, plain_transport, request_to, run_peer

OK = b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello"
HELLO = (200, {"content-length": "5"}, b"hello")
OPEN = b"HTTP/1.1 200 OK\r\n\r\nhello"
CHUNKED = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"


def idle(transport):
    return sum(map(len, transport._pool._idle.values()))


@pytest.mark.parametrize("raw", [OK, CHUNKED], ids=["length", "chunked"])
def test_one_connection_serves_many_requests(transport, raw):
    with run_peer() as peer:
        peer.turns.append(peer.respond_with_bytes(raw, answers=3))
        for body in (b"{}", b"x" * 300_000, b""):
            status, _, received = exchange(transport, peer.url, "POST", body)
            assert (status, received) == (200, b"hello")
        assert peer.bodies == [b"{}", b"x" * 300_000, b""]
        transport.close()


@pytest.mark.parametrize(
    "last",
    [
        OK.replace(b"content", b"connection: close\r\ncontent"),
        OK.replace(b"1.1", b"1.0"),
        OPEN,
        OK + b"more",
        CHUNKED + b"\r\n",
        CHUNKED + OK,
        OK.replace(b"hello", b"hell"),
        b"HTTP/1.1 200 OK\r\nnonsense\r\n\r\n",
    ],
    ids=["close", "1.0", "no length", "more", "line end", "another", "less", "nonsense"],
)
def test_a_connection_that_cannot_be_reused_is_closed(transport, last):
    with run_peer(last, OK) as peer:
        with suppress(httpx.RemoteProtocolError):
            exchange(transport, peer.url)
        assert idle(transport) == 0
        assert exchange(transport, peer.url) == HELLO


def test_a_response_that_is_not_read_to_its_end_closes_its_connection(transport):
    with run_peer(OK, OK) as peer:
        transport.handle_request(request_to(peer.url, "GET", b"")).close()
        assert idle(transport) == 0
        assert exchange(transport, peer.url) == HELLO


def test_a_response_is_closed_once(transport):
    with run_peer(OK) as peer:
        response = transport.handle_request(request_to(peer.url, "GET", b""))
        response.read()
        response.close()
        response.stream.close()
        assert idle(transport) == 1


def exchange_and_wait_for_the_end(transport, peer):
    """Returns an idle connection that the peer is known to have closed."""
    assert exchange(transport, peer.url) == HELLO
    [[connection]] = transport._pool._idle.values()
    connection.socket.recv(1, socket.MSG_PEEK)
    return connection


def test_a_connection_closed_by_the_peer_is_not_reused(transport):
    with run_peer(OK, OK) as peer:
        closed = exchange_and_wait_for_the_end(transport, peer)
        assert exchange(transport, peer.url) == HELLO
        assert closed.socket.fileno() == -1
        assert len(peer.heads) == 2


def test_a_connection_with_unrequested_data_is_not_reused(transport):
    sent = threading.Event()

    def respond_twice(connection):
        peer.respond_with_bytes(OK)(connection)
        read.wait(5)
        connection.sendall(OK.replace(b"hello", b"other"))
        sent.set()
        connection.recv(1)

    read = threading.Event()
    with run_peer(respond_twice, OK) as peer:
        assert exchange(transport, peer.url) == HELLO
        read.set()
        sent.wait(5)
        assert exchange(transport, peer.url) == HELLO


def test_a_connection_that_was_idle_too_long_is_not_reused():
    """By the time of day, which goes on while Lambda freezes the process."""
    times = iter([1_000.0, 1_000.0 + IDLE_SECONDS + 1, 2_000.0])
    with plain_transport(clock=lambda: next(times)) as transport, run_peer() as peer:
        peer.turns += [peer.respond_with_bytes(OK, answers=2), peer.respond_with_bytes(OK)]
        assert exchange(transport, peer.url) == HELLO
        assert exchange(transport, peer.url) == HELLO
        assert len(peer.turns) == 0


def test_idle_connections_belong_to_an_origin(transport):
    with run_peer() as one, run_peer() as other:
        for peer in (one, other):
            peer.turns.append(peer.respond_with_bytes(OK, answers=2))
        for _ in range(2):
            assert [exchange(transport, peer.url) for peer in (one, other)] == [HELLO] * 2
        assert idle(transport) == 2
        transport.close()
        assert idle(transport) == 0


def test_many_threads_share_a_transport_and_few_connections_stay_idle(transport):
    received = []
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/"
        senders = [
            threading.Thread(target=lambda: received.append(exchange(transport, url)))
            for _ in range(12)
        ]
        for sender in senders:
            sender.start()
        accepted = [listener.accept()[0] for _ in range(12)]
        for connection in accepted:
            connection.sendall(OK)
        for sender in senders:
            sender.join()
        assert received == [HELLO] * 12
        assert idle(transport) == 8
        for connection in accepted:
            connection.close()


def test_threads_never_receive_the_response_to_another(transport):
    wrong = []

    def send(name, url):
        for count in range(25):
            body = b"%d %d" % (name, count)
            received = exchange(transport, url, "POST", body)[2]
            if received != body:
                wrong.append((body, received))

    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"http://127.0.0.1:{server.getsockname()[1]}/"
        serving = threading.Thread(target=_accept_each, args=(server,), daemon=True)
        serving.start()
        senders = [threading.Thread(target=send, args=(name, url)) for name in range(8)]
        for sender in senders:
            sender.start()
        for sender in senders:
            sender.join()
        assert 0 < idle(transport) <= 8
        transport.close()
        server.shutdown(socket.SHUT_RDWR)
        serving.join()
    assert wrong == []


def _accept_each(server):
    """Echoes the bodies of requests, on a thread for each connection."""
    with suppress(OSError):
        while True:
            connection, _ = server.accept()
            threading.Thread(target=_echo, args=(connection,), daemon=True).start()


def _echo(connection):
    received = b""
    with connection:
        while data := connection.recv(65_536):
            received += data
            head, found, body = received.partition(b"\r\n\r\n")
            length = int(head.partition(b"content-length: ")[2].split(b"\r\n")[0] or 0)
            if found and len(body) == length:
                connection.sendall(
                    b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%b" % (length, body)
                )
                received = b""


@pytest.mark.parametrize("reused", [False, True], ids=["new", "reused"])
@pytest.mark.parametrize("sent", [b"", b"HTTP/1.1 200 O", b"HTTP/1.1 103 Early Hints\r\n\r\n"])
def test_what_may_have_been_sent_is_never_sent_again(transport, sent, reused):
    def cut(connection):
        if reused:
            peer.respond_with_bytes(OK)(connection)
        peer.respond_with_bytes(sent)(connection)

    with run_peer(cut, OK) as peer:
        if reused:
            assert exchange(transport, peer.url) == HELLO
        with pytest.raises(httpx.RemoteProtocolError, match="connection ended before"):
            exchange(transport, peer.url)
        assert len(peer.heads) == 1 + reused
        assert len(peer.turns) == 1


@pytest.mark.parametrize(
    ("method", "sent", "heads"),
    [("GET", b"", 3), ("GET", b"HTTP/1.1 200 O", 2), ("DELETE", b"", 2)],
)
def test_a_get_that_meets_the_end_of_an_idle_connection_is_sent_once_more(
    transport, method, sent, heads
):
    def end_at_the_second(connection):
        peer.respond_with_bytes(OK)(connection)
        peer.respond_with_bytes(sent)(connection)

    with run_peer(end_at_the_second, OK) as peer:
        assert exchange(transport, peer.url) == HELLO
        if heads == 3:
            assert exchange(transport, peer.url, method, b"") == HELLO
        else:
            with pytest.raises(httpx.RemoteProtocolError, match="connection ended before"):
                exchange(transport, peer.url, method, b"")
        assert len(peer.heads) == heads


@pytest.fixture
def half_closed(monkeypatch):
    """A connection on which nothing more can be sent, and its other end."""
    ours, theirs = socket.socketpair()
    ours.shutdown(socket.SHUT_WR)
    monkeypatch.setattr(transports.socket, "create_connection", lambda *_: ours)
    monkeypatch.setattr(transports.socket, "IPPROTO_TCP", socket.SOL_SOCKET)
    monkeypatch.setattr(transports.socket, "TCP_NODELAY", socket.SO_KEEPALIVE)
    with closing(ours), closing(theirs):
        yield ours, theirs


@pytest.mark.parametrize("body", [b"{}", 300_000 * b"x"], ids=["small", "large"])
def test_a_response_that_refuses_early_is_read(transport, half_closed, body):
    ours, theirs = half_closed
    theirs.sendall(OK.replace(b"200", b"413"))
    assert exchange(transport, "http://127.0.0.1/", "POST", body)[::2] == (413, b"hello")
    assert ours.fileno() == -1
    assert idle(transport) == 0


@pytest.mark.parametrize("sent", [b"", b"HTTP/1.1 413"])
def test_a_request_that_breaks_off_without_a_response_is_a_write_error(
    transport, half_closed, sent
):
    ours, theirs = half_closed
    theirs.sendall(sent)
    theirs.close()
    with pytest.raises(httpx.WriteError):
        exchange(transport, "http://127.0.0.1/")
    assert ours.fileno() == -1
