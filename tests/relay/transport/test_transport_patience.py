"""What is not reached, what takes too long, and how a read is ended from beside."""

import socket
import threading
from contextlib import closing
from dataclasses import replace

import pytest

from antiphon.relay.transport import connection as connections
from antiphon.relay.transport.errors import (
    ConnectError,
    ConnectionBroken,
    ConnectTimeout,
    ReadTimeout,
    WriteTimeout,
)
from antiphon.relay.transport.outgoing import Outgoing
from tests.support.upstream import TIMEOUTS, run_peer, send_request

OK = b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello"
HELLO = (200, {"content-length": "5"}, b"hello")


def test_nobody_there_is_asked_twice_and_nothing_is_sent(client, monkeypatch):
    tries = []

    def refused(address, seconds):
        tries.append((address, seconds))
        raise ConnectionRefusedError

    monkeypatch.setattr(connections.socket, "create_connection", refused)
    with pytest.raises(ConnectError) as told:
        send_request(client, "http://127.0.0.1:9/")
    assert tries == [(("127.0.0.1", 9), 5.0)] * 2
    assert not isinstance(told.value, ConnectTimeout)


@pytest.mark.parametrize(
    ("raised", "told"),
    [
        (TimeoutError(), ConnectTimeout),
        (socket.gaierror(-2, "Name or service not known"), ConnectError),
        (OSError(101, "Network is unreachable"), ConnectError),
        (UnicodeError("label too long"), ConnectError),
    ],
)
def test_every_way_not_to_connect_is_told_as_nothing_sent(client, monkeypatch, raised, told):
    def fails(*_):
        raise raised

    monkeypatch.setattr(connections.socket, "create_connection", fails)
    with pytest.raises(ConnectError) as found:
        send_request(client, "http://h/")
    assert type(found.value) is told


def test_the_second_try_may_succeed(client, monkeypatch):
    connect, tries = socket.create_connection, []

    def second(*where):
        tries.append(where)
        if len(tries) == 1:
            raise ConnectionRefusedError
        return connect(*where)

    with run_peer(OK) as provider:
        monkeypatch.setattr(connections.socket, "create_connection", second)
        assert send_request(client, provider.url) == HELLO


def waits(connection):
    connection.recv(65_536)
    while connection.recv(65_536):
        pass


def test_a_head_has_its_time_in_all_however_it_drips(client):
    def drips(connection):
        connection.recv(65_536)
        for byte in OK:
            connection.sendall(bytes([byte]))
            gone.wait(0.05)

    gone = threading.Event()
    with run_peer(drips, waits) as provider:
        for _ in range(2):
            with pytest.raises(ReadTimeout):
                send_request(client, provider.url, patience=replace(TIMEOUTS, head=0.2))
        gone.set()


def test_a_body_has_its_time_for_each_read_where_nobody_else_looks(client):
    def stops(connection):
        connection.sendall(OK[:-1])
        waits(connection)

    with run_peer(stops) as provider, pytest.raises(ReadTimeout):
        send_request(client, provider.url, patience=replace(TIMEOUTS, read=0.1))


def test_a_request_that_is_not_taken_is_given_up(client):
    done = threading.Event()
    with run_peer(lambda _: done.wait(5)) as provider:
        with pytest.raises(WriteTimeout):
            send_request(
                client, provider.url, body=bytes(30_000_000), patience=replace(TIMEOUTS, write=0.1)
            )
        done.set()


def test_shutting_the_socket_ends_a_read_that_blocks(client):
    def stops(connection):
        connection.sendall(OK[:-1])
        waits(connection)

    with run_peer(stops) as provider:
        outgoing = Outgoing.to(provider.url, "GET", {})
        with closing(client.send(outgoing, replace(TIMEOUTS, read=None))) as response:
            pieces = iter(response)
            assert next(pieces) == b"hell"
            threading.Timer(0.05, response.socket.shutdown, [socket.SHUT_RDWR]).start()
            with pytest.raises(ConnectionBroken):
                next(pieces)
