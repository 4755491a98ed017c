"""The connection to the Runtime API: responses read, and the boundaries of our writes."""

import socket
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest

from antiphon.runtime.response import ChunkWriter, StreamedResponse
from antiphon.runtime.wire import Connection, Disconnected, encode_chunk, encode_head


@pytest.fixture
def pair():
    ours, theirs = socket.socketpair()
    with closing(Connection(ours)) as connection, theirs:
        yield connection, theirs


@pytest.fixture
def records():
    """A pair that preserves the boundaries of writes: each `recv` returns one whole write."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with closing(Connection(ours)) as connection, theirs:
        yield connection, theirs


@pytest.mark.parametrize(
    "raw",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX-A:  b \r\n\r\nhello",
        (
            b"HTTP/1.1 200\r\nx-a: b\r\ntransfer-encoding: Chunked\r\n\r\n"
            b"2;ext=1\r\nhe\r\n3\r\nllo\r\n0\r\ntrailing: field\r\n\r\n"
        ),
    ],
)
def test_a_response_is_read_and_the_connection_stays_usable(pair, raw):
    connection, theirs = pair
    theirs.sendall(raw)
    response = connection.read()
    assert (response.status, response.headers["x-a"], response.body) == (200, "b", b"hello")
    assert connection.is_usable


def test_a_response_that_announces_a_close_is_the_last(pair):
    connection, theirs = pair
    theirs.sendall(b"HTTP/1.1 202 Accepted\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
    assert connection.read().status == 202
    assert not connection.is_usable


def test_a_response_without_a_length_ends_with_its_connection(pair):
    """Go's server refuses a malformed request in this form."""
    connection, theirs = pair
    theirs.sendall(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n400 Bad Request")
    theirs.shutdown(socket.SHUT_WR)
    response = connection.read()
    assert (response.status, response.body) == (400, b"400 Bad Request")
    assert not connection.is_usable


def test_header_values_may_hold_any_latin_1_character(pair):
    connection, theirs = pair
    value = "".join(map(chr, range(0x80, 0x100)))
    theirs.sendall(
        b"HTTP/1.1 200\r\nX-A: a%bz\r\nContent-Length: 0\r\n\r\n" % value.encode("latin-1")
    )
    assert connection.read().headers["x-a"] == f"a{value}z"


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"HTTP/1.1 200 O",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhe",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"\r\n",
        b"HTTP/1.1 what\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n\r\nof no stated length",
        b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: h2c\r\n\r\n",
    ],
)
def test_less_than_a_response_is_a_lost_connection(pair, raw):
    connection, theirs = pair
    theirs.sendall(raw)
    theirs.shutdown(socket.SHUT_WR)
    with pytest.raises(Disconnected):
        connection.read()
    assert not connection.is_usable


def test_a_connection_is_unusable_once_the_other_end_is_gone_or_sends_an_unrequested_response(pair):
    connection, theirs = pair
    assert connection.is_usable
    theirs.sendall(b"HTTP/1.1 408 Timeout\r\n\r\n")
    assert not connection.is_usable


def test_a_write_after_the_other_end_closed_is_a_lost_connection(pair):
    connection, theirs = pair
    theirs.close()
    with pytest.raises(Disconnected):
        connection.write(b"data")


def test_an_address_where_nothing_listens_is_a_lost_connection():
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    with pytest.raises(Disconnected):
        Connection.open(f"127.0.0.1:{port}")


def test_characters_that_a_header_cannot_hold_are_escaped():
    head = encode_head("GET", "/", {"A": "é\u2603"})
    assert head == b"GET / HTTP/1.1\r\nA: \xe9\\u2603\r\n\r\n"


def test_head_and_first_chunk_are_one_write_and_each_later_chunk_is_one(records):
    connection, theirs = records
    writer = ChunkWriter()
    assert writer.write_body(connection.write, b"head+first", iter([b"a", b"", b"bc"])) is None
    assert theirs.recv(100) == b"head+first"
    assert theirs.recv(100) == b"1\r\na\r\n"
    assert theirs.recv(100) == b"2\r\nbc\r\n"


@pytest.mark.parametrize(
    ("body", "is_whole"),
    [
        (b"a", True),
        ("a", True),
        ((b"a",), True),
        ((b"a", b"b"), False),
        ((part for part in (b"a",)), False),
    ],
)
def test_a_body_is_whole_with_its_first_chunk_only_where_that_is_certain(body, is_whole):
    response = StreamedResponse.from_result({"statusCode": 200, "body": body})
    assert response.is_whole is is_whole


def test_chunks_of_two_threads_do_not_mix():
    written = []
    writer, mine, theirs = ChunkWriter(), [b"m" * 50] * 2000, [b"t" * 50] * 2000

    def body(other_threads):
        others = other_threads.submit(lambda: [writer.send(data) for data in theirs])
        yield from mine
        others.result()

    def write(data):  # in two steps, like a socket with a full buffer
        written.append(data[:7])
        written.append(data[7:])

    with ThreadPoolExecutor(1) as pool:
        assert writer.write_body(write, b"", body(pool)) is None
    frames = b"".join(written)
    assert len(frames) == 4000 * len(encode_chunk(mine[0]))
    assert frames.replace(encode_chunk(mine[0]), b"").replace(encode_chunk(theirs[0]), b"") == b""
