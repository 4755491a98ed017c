"""Connections: made once or twice, used again while they live, and never for a second sending."""

import socket
import threading
from contextlib import suppress

import pytest

from antiphon.relay.transport import connection as connections
from antiphon.relay.transport.errors import ConnectionBroken, Malformed
from antiphon.relay.transport.outgoing import Outgoing
from tests.support.upstream import TIMEOUTS, plain_client, run_peer, send_request

OK = b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello"
HELLO = (200, {"content-length": "5"}, b"hello")
OPEN = b"HTTP/1.1 200 OK\r\n\r\nhello"


def resting(client):
    return sum(map(len, client._resting._all.values()))


def test_one_connection_serves_many_requests(client):
    with run_peer() as provider:
        provider.turns.append(provider.respond_with_bytes(OK, answers=3))
        for body in (b"{}", b"x" * 300_000, b""):
            assert send_request(client, provider.url, body=body) == HELLO
        assert provider.bodies == [b"{}", b"x" * 300_000, b""]
        client.close()


@pytest.mark.parametrize(
    "last",
    [
        OK.replace(b"content", b"connection: close\r\ncontent"),
        OK.replace(b"1.1", b"1.0"),
        OPEN,
        OK + b"more",
        OK.replace(b"hello", b"hell"),
        b"HTTP/1.1 200 OK\r\nnonsense\r\n\r\n",
    ],
    ids=["close", "1.0", "no length", "more", "less", "nonsense"],
)
def test_a_connection_that_may_not_be_used_again_is_closed(client, last):
    with run_peer(last, OK) as provider:
        with suppress(ConnectionBroken, Malformed):
            send_request(client, provider.url)
        assert resting(client) == 0
        assert send_request(client, provider.url) == HELLO


def test_an_answer_that_is_not_read_to_its_end_takes_its_connection_along(client):
    with run_peer(OK, OK) as provider:
        client.send(Outgoing.to(provider.url, "GET", {}), TIMEOUTS).close()
        assert resting(client) == 0
        assert send_request(client, provider.url) == HELLO


def test_an_answer_is_closed_once(client):
    with run_peer(OK) as provider:
        response = client.send(Outgoing.to(provider.url, "GET", {}), TIMEOUTS)
        response.read()
        response.close()
        response.close()
        assert resting(client) == 1


def rested(client, provider):
    """A connection whose other end is known to be closed."""
    assert send_request(client, provider.url) == HELLO
    [[connection]] = client._resting._all.values()
    connection.socket.recv(1, socket.MSG_PEEK)
    return connection


def test_what_the_other_end_has_closed_is_not_used_again(client):
    with run_peer(OK, OK) as provider:
        closed = rested(client, provider)
        assert send_request(client, provider.url) == HELLO
        assert closed.socket.fileno() == -1
        assert len(provider.heads) == 2


def test_what_speaks_unasked_is_not_used_again(client):
    spoken = threading.Event()

    def speaks(connection):
        provider.respond_with_bytes(OK)(connection)
        read.wait(5)
        connection.sendall(OK.replace(b"hello", b"other"))
        spoken.set()
        connection.recv(1)

    read = threading.Event()
    with run_peer(speaks, OK) as provider:
        assert send_request(client, provider.url) == HELLO
        read.set()
        spoken.wait(5)
        assert send_request(client, provider.url) == HELLO


def test_what_has_rested_too_long_is_not_used_again():
    with plain_client(idle_seconds=0) as client, run_peer() as provider:
        provider.turns += [
            provider.respond_with_bytes(OK, answers=2),
            provider.respond_with_bytes(OK),
        ]
        assert send_request(client, provider.url) == HELLO
        assert send_request(client, provider.url) == HELLO
        assert len(provider.turns) == 0


def test_connections_are_kept_by_whom_they_are_with(client):
    with run_peer() as one, run_peer() as other:
        for provider in (one, other):
            provider.turns.append(provider.respond_with_bytes(OK, answers=2))
        for _ in range(2):
            assert [send_request(client, provider.url) for provider in (one, other)] == [HELLO] * 2
        assert resting(client) == 2
        client.close()


def test_many_threads_share_them_and_few_are_kept(client):
    got = []
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/"
        asking = [
            threading.Thread(target=lambda: got.append(send_request(client, url)))
            for _ in range(12)
        ]
        for thread in asking:
            thread.start()
        taken = [listener.accept()[0] for _ in range(12)]
        for connection in taken:
            connection.sendall(OK)
        for thread in asking:
            thread.join()
        assert got == [HELLO] * 12
        assert resting(client) == 8
        for connection in taken:
            connection.close()


@pytest.mark.parametrize("reused", [False, True], ids=["new", "used"])
@pytest.mark.parametrize("said", [b"", b"HTTP/1.1 200 O", b"HTTP/1.1 103 Early Hints\r\n\r\n"])
def test_what_may_have_been_sent_is_never_sent_again(client, said, reused):
    def cuts(connection):
        if reused:
            provider.respond_with_bytes(OK)(connection)
        provider.respond_with_bytes(said)(connection)

    with run_peer(cuts, OK) as provider:
        if reused:
            assert send_request(client, provider.url) == HELLO
        with pytest.raises(ConnectionBroken):
            send_request(client, provider.url)
        assert len(provider.heads) == 1 + reused
        assert len(provider.turns) == 1


def test_who_refuses_early_is_heard(client):
    ours, theirs = socket.socketpair()
    made = connections.Connection(ours, Outgoing.to("http://h/", "GET", {}).origin)
    client._resting.keep(made)
    client._resting.take = lambda *_: made
    ours.shutdown(socket.SHUT_WR)  # nothing more is taken
    theirs.sendall(OK.replace(b"200", b"413"))
    assert send_request(client, "http://h/")[::2] == (413, b"hello")
    assert ours.fileno() == -1
    theirs.close()
