"""Answers in every framing, however they are cut into pieces, and wherever they end too early."""

import gzip
import itertools
import socket
from contextlib import closing

import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon.relay.transport.errors import ConnectionBroken, Malformed, TransportError
from antiphon.relay.transport.framing import body_of
from antiphon.relay.transport.head import read_head
from antiphon.relay.transport.reader import Reader
from tests.support.upstream import FakeSocket, read_from_memory

SIZED = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX-A:  b \r\n\r\nhello"
CHUNKED = (
    b"HTTP/1.1 200\r\ntransfer-encoding: Chunked\r\n\r\n2;e=1\r\nhe\r\n03 \r\nllo\r\n0\r\n\r\n"
)
TRAILING = CHUNKED[:-2] + b"x: y\r\nz: \r\n\r\n"
EARLY = b"HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n" + SIZED
CLOSED = b"HTTP/1.0 200 OK\r\nx-a: b\r\n\r\nhello"
PACKED = gzip.compress(b"hello", mtime=0)
GZIP = (
    b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: %d\r\n\r\n" % len(PACKED)
    + PACKED
)
EMPTY = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"
ALL = {"sized": SIZED, "chunked": CHUNKED, "trailers": TRAILING, "early": EARLY, "gzip": GZIP}


@pytest.mark.parametrize("raw", [*ALL.values(), CLOSED], ids=[*ALL, "closed"])
def test_where_the_pieces_end_does_not_matter(raw):
    for at in range(len(raw)):
        assert read_from_memory(raw[:at], raw[at:])[0] == b"hello"
    assert read_from_memory(*(raw[i : i + 1] for i in range(len(raw))))[0] == b"hello"


@pytest.mark.parametrize("raw", ALL.values(), ids=ALL)
def test_wherever_an_answer_is_cut_it_is_broken(raw):
    for at in range(len(raw)):
        with pytest.raises(ConnectionBroken):
            read_from_memory(raw[:at])


def test_what_has_come_is_passed_on_before_it_is_known_to_be_broken():
    reader = Reader(FakeSocket(CHUNKED[:-5] + b"nonsense\r\n"))
    pieces = body_of("POST", read_head(reader), reader).pieces
    assert [next(pieces), next(pieces)] == [b"he", b"llo"]
    with pytest.raises(Malformed):
        next(pieces)


def test_a_chunk_is_passed_on_before_its_end_has_come():
    ours, theirs = socket.socketpair()
    with closing(ours), closing(theirs):
        theirs.sendall(CHUNKED[: CHUNKED.index(b"he\r\n") + 2])
        reader = Reader(ours)
        assert next(body_of("POST", read_head(reader), reader).pieces) == b"he"


@pytest.mark.parametrize("raw", [*ALL.values(), EMPTY], ids=[*ALL, "empty"])
def test_an_answer_with_an_end_of_its_own_leaves_room_for_another(raw):
    _, head, body, reader = read_from_memory(raw)
    assert (head.persistent, body.bounded, reader.ahead) == (True, True, 0)
    assert read_from_memory(raw + b"X")[3].ahead == 1


@pytest.mark.parametrize("fields", [b"connection: close\r\n", b"Connection: keep-alive, Close\r\n"])
def test_after_a_close_that_is_told_nothing_follows(fields):
    assert not read_from_memory(SIZED.replace(b"X-A:  b \r\n", fields))[1].persistent


def test_old_servers_and_bodies_without_a_length_take_no_second_request():
    assert not read_from_memory(CLOSED)[1].persistent
    assert not read_from_memory(CLOSED.replace(b"1.0", b"1.1"))[2].bounded


def test_two_ways_to_end_are_read_by_chunks_and_nothing_follows():
    body, _, framed, _ = read_from_memory(
        CHUNKED.replace(b"\r\n\r\n", b"\r\ncontent-length: 3\r\n\r\n", 1)
    )
    assert (body, framed.bounded) == (b"hello", False)


@pytest.mark.parametrize(("method", "status"), [("HEAD", 200), ("POST", 204), ("GET", 304)])
def test_some_answers_have_no_body_whatever_they_say(method, status):
    raw = SIZED.replace(b"200", b"%d" % status)[: -len(b"hello")]
    body, head, framed, _ = read_from_memory(raw, method=method)
    assert (body, head.status, framed.bounded) == (b"", status, True)


def test_a_header_that_comes_twice_is_one():
    assert read_from_memory(SIZED.replace(b"X-A", b"x-b: 1\r\nX-B: \xc3\xa9\r\nx-l: \xe9\r\nx-a"))[1].headers == {
        "content-length": "5", "x-b": "1, é", "x-l": "é", "x-a": "b",
    }  # fmt: skip


def test_the_same_length_may_be_said_twice():
    assert read_from_memory(SIZED.replace(b"X-A:  b ", b"content-length: 5"))[0] == b"hello"


def test_a_packed_answer_may_be_empty():
    assert (
        read_from_memory(EMPTY.replace(b"\r\n\r\n", b"\r\ncontent-encoding: gzip\r\n\r\n"))[0]
        == b""
    )


def test_what_is_no_packing_passes():
    assert read_from_memory(SIZED.replace(b"X-A:  b", b"content-encoding: utf-8"))[0] == b"hello"


@given(
    st.binary(max_size=200), st.sampled_from(sorted(ALL)), st.integers(0, 200), st.integers(0, 9)
)
def test_whatever_comes_is_an_answer_or_a_transport_error(noise, name, at, instead):
    raw = ALL[name]
    raw = raw[:at] + noise + raw[at + instead :]
    try:
        body, *_ = read_from_memory(raw)
    except TransportError:
        return
    assert isinstance(body, bytes)


@given(
    st.lists(st.binary(min_size=1, max_size=50), max_size=9),
    st.lists(st.integers(0, 900), max_size=9),
)
def test_chunks_come_out_as_they_went_in(parts, cuts):
    raw = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"
    raw += b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"
    edges = sorted({0, len(raw), *(cut % len(raw) for cut in cuts)})
    body, _, _, reader = read_from_memory(*(raw[a:b] for a, b in itertools.pairwise(edges)))
    assert (body, reader.ahead) == (b"".join(parts), 0)
