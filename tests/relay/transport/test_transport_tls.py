"""TLS: who is believed, and that a cut is never taken for an end."""

import select
import socket
import threading
from contextlib import closing
from dataclasses import replace

import pytest

from antiphon import wiring
from antiphon.relay.transport.errors import ConnectError, ConnectionBroken, ConnectTimeout
from antiphon.relay.transport.outgoing import Outgoing
from tests.support.upstream import (
    TIMEOUTS,
    create_certificate,
    make_server_context,
    run_peer,
    send_request,
)

OK = b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello"
OPEN = b"HTTP/1.1 200 OK\r\n\r\nhello"
HELLO = (200, {"content-length": "5"}, b"hello")


@pytest.fixture(scope="module")
def here(tmp_path_factory):
    return create_certificate(tmp_path_factory.mktemp("tls"))


@pytest.fixture
def client(here):
    with closing(wiring.provider_client({"SSL_CERT_FILE": str(here)})) as made:
        yield made


def test_one_connection_serves_many_requests(client, here):
    with run_peer(tls=make_server_context(here)) as provider:
        provider.turns.append(provider.respond_with_bytes(OK, answers=3))
        for body in (b"{}", b"x" * 300_000, b""):
            assert send_request(client, provider.url, body=body) == HELLO
        assert provider.bodies == [b"{}", b"x" * 300_000, b""]
        client.close()


def test_an_answer_of_many_records_is_whole(client, here):
    body = bytes(range(256)) * 4000
    with run_peer(
        OK.replace(b"5\r\n\r\nhello", b"%d\r\n\r\n" % len(body)) + body,
        tls=make_server_context(here),
    ) as it:
        assert send_request(client, it.url)[2] == body


def test_a_rest_that_the_other_end_has_ended_is_noticed(client, here):
    with run_peer(OK, OK, tls=make_server_context(here)) as provider:
        assert send_request(client, provider.url) == HELLO
        [[connection]] = client._resting._all.values()
        assert _is_readable(connection.socket)
        assert send_request(client, provider.url) == HELLO
        assert connection.socket.fileno() == -1


def _is_readable(connection):
    return select.select([connection], [], [], 5)[0]


def test_whom_nobody_vouches_for_is_told_nothing(here):
    with (
        closing(wiring.provider_client({})) as trusting_others,
        run_peer(OK, OK, tls=make_server_context(here)) as it,
    ):
        with pytest.raises(ConnectError):
            send_request(trusting_others, it.url)
        assert it.heads == []


def test_who_goes_by_another_name_is_told_nothing(tmp_path):
    other = create_certificate(tmp_path, "127.0.0.2")
    env = {"SSL_CERT_FILE": str(other)}
    with (
        closing(wiring.provider_client(env)) as client,
        run_peer(OK, OK, tls=make_server_context(other)) as it,
    ):
        with pytest.raises(ConnectError):
            send_request(client, it.url)
        assert it.heads == []


def test_who_does_not_speak_tls_is_told_nothing(client):
    def babbles(connection):
        connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    with run_peer(babbles, babbles) as provider, pytest.raises(ConnectError):
        send_request(client, provider.url.replace("http", "https"))


def test_a_greeting_that_is_not_returned_is_a_connection_not_made(client):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"https://127.0.0.1:{silent.getsockname()[1]}/"
        with pytest.raises(ConnectTimeout):
            send_request(client, url, patience=replace(TIMEOUTS, connect=0.1))


def test_an_end_of_tls_that_is_told_ends_a_body_without_a_length(client, here):
    def ends(connection):
        provider.respond_with_bytes(OPEN)(connection)
        connection.unwrap()

    with run_peer(ends, tls=make_server_context(here)) as provider:
        assert send_request(client, provider.url) == (200, {}, b"hello")


def test_an_end_of_tls_that_is_not_told_is_a_cut(client, here):
    with run_peer(OPEN, tls=make_server_context(here)) as provider, pytest.raises(ConnectionBroken):
        send_request(client, provider.url)


@pytest.mark.parametrize("answer", [OK[:-1], OPEN[:-1]], ids=["length", "no length"])
def test_shutting_the_socket_from_beside_ends_a_read_that_blocks(client, here, answer):
    def stops(connection):
        provider.respond_with_bytes(answer)(connection)
        connection.recv(1)

    with run_peer(stops, tls=make_server_context(here)) as provider:
        outgoing = Outgoing.to(provider.url, "GET", {})
        with closing(client.send(outgoing, replace(TIMEOUTS, read=None))) as response:
            pieces = iter(response)
            assert next(pieces) == b"hell"
            shut = (response.socket, socket.SHUT_RDWR)
            threading.Timer(0.05, socket.socket.shutdown, shut).start()
            with pytest.raises(ConnectionBroken):
                next(pieces)
