"""Responses in every framing, however they are cut into pieces, and wherever they end too early."""

import gzip
import itertools
import socket
import threading
from contextlib import closing

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon.upstream.http1 import ResponseParser
from antiphon.upstream.transport import BodyStream
from tests.support.upstream import exchange, parse_response, request_to, run_peer

SIZED = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX-A:  b \r\n\r\nhello"
CHUNKED = b"HTTP/1.1 200\r\ntransfer-encoding: Chunked\r\n\r\n2;e=1\r\nhe\r\n03\r\nllo\r\n0\r\n\r\n"
TRAILING = CHUNKED[:-2] + b"x: y\r\nz: \r\n\r\n"
EARLY = b"HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n" + SIZED
CLOSED = b"HTTP/1.0 200 OK\r\nx-a: b\r\n\r\nhello"
UPGRADE = SIZED.replace(b"X-A:  b", b"upgrade: h2c\r\nconnection: upgrade")
PACKED = gzip.compress(b"hello", mtime=0)
GZIP = (
    b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: %d\r\n\r\n" % len(PACKED)
    + PACKED
)
EMPTY = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"
EMPTY_CHUNKED = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n"
ALL = {
    "sized": SIZED, "chunked": CHUNKED, "trailers": TRAILING, "early": EARLY, "gzip": GZIP,
    "upgrade": UPGRADE,
}  # fmt: skip
CUT = "connection ended before"


def byte_by_byte(raw):
    return [raw[i : i + 1] for i in range(len(raw))]


@pytest.mark.parametrize("raw", [*ALL.values(), CLOSED], ids=[*ALL, "closed"])
def test_where_the_pieces_end_does_not_matter(raw):
    for at in range(len(raw)):
        assert parse_response(raw[:at], raw[at:]).body == b"hello"
    assert parse_response(*byte_by_byte(raw)).body == b"hello"


@pytest.mark.parametrize("raw", [*ALL.values(), CLOSED], ids=[*ALL, "closed"])
@pytest.mark.parametrize("cut", [lambda raw: [raw], byte_by_byte], ids=["whole", "byte by byte"])
def test_a_response_is_read_from_a_connection(raw, cut, transport):
    with run_peer() as peer:
        peer.turns.append(peer.respond_with_bytes(*cut(raw)))
        status, headers, body = exchange(transport, peer.url)
    assert (status, body) == (200, b"hello")
    assert "content-encoding" not in headers


@pytest.mark.parametrize("raw", ALL.values(), ids=ALL)
def test_a_response_cut_anywhere_is_an_error(raw):
    for at in range(len(raw)):
        for pieces in ([raw[:at]], byte_by_byte(raw[:at])):
            with pytest.raises(httpx.RemoteProtocolError, match=CUT):
                parse_response(*pieces)


@pytest.mark.parametrize("raw", ALL.values(), ids=ALL)
def test_a_connection_that_ends_too_early_is_an_error(raw, transport):
    places = [0, 1, len(raw) // 2, len(raw) - 2, len(raw) - 1]
    with run_peer(*(raw[:at] for at in places)) as peer:
        for _ in places:
            with pytest.raises(httpx.RemoteProtocolError, match=CUT):
                exchange(transport, peer.url)
        assert len(peer.heads) == len(places)


@pytest.mark.parametrize(
    "framing", [b"", b"transfer-encoding: chunked\r\n", b"content-length: %d\r\n"]
)
def test_gzip_that_ends_too_early_is_an_error_in_a_body_that_is_whole(framing):
    for size in range(1, len(PACKED)):
        body = PACKED[:size]
        if b"chunked" in framing:
            body = b"%x\r\n%b\r\n0\r\n\r\n" % (size, body)
        length = framing % size if b"%d" in framing else framing
        raw = b"HTTP/1.1 200 OK\r\ncontent-encoding: x-gzip\r\n" + length + b"\r\n" + body
        with pytest.raises(httpx.RemoteProtocolError, match="before the gzip data did"):
            parse_response(raw)


def test_gzip_is_decoded_as_it_arrives(transport):
    text = bytes(range(256)) * 400
    packed = gzip.compress(text)
    rest = threading.Event()

    def respond(connection):
        peer.read_request(connection)
        head = b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: %d\r\n\r\n"
        connection.sendall(head % len(packed) + packed[:-9])
        rest.wait(5)
        connection.sendall(packed[-9:])
        connection.recv(1)

    with run_peer(respond) as peer:
        with closing(transport.handle_request(request_to(peer.url))) as response:
            assert not {"content-encoding", "content-length"} & set(response.headers)
            pieces = response.iter_bytes()
            first = next(pieces)
            assert text.startswith(first)
            rest.set()
            assert first + b"".join(pieces) == text
        assert sum(map(len, transport._pool._idle.values())) == 1
        transport.close()


def body_pieces(raw, receive=lambda: b""):
    parser = ResponseParser("POST")
    assert parser.feed_head(raw)
    return iter(BodyStream(parser, receive, lambda _: None))


def test_a_body_is_passed_on_before_it_is_known_to_be_malformed():
    pieces = body_pieces(CHUNKED[:-5] + b"nonsense\r\n")
    assert next(pieces) == b"hello"
    with pytest.raises(httpx.RemoteProtocolError):
        next(pieces)


def test_a_chunk_is_passed_on_before_its_end_has_arrived():
    ours, theirs = socket.socketpair()
    with closing(ours), closing(theirs):
        theirs.sendall(CHUNKED[: CHUNKED.index(b"he\r\n") + 2])
        assert next(body_pieces(ours.recv(65_536), lambda: ours.recv(65_536))) == b"he"


def test_no_piece_is_empty():
    assert list(body_pieces(TRAILING)) == [b"hello"]
    assert list(body_pieces(EMPTY_CHUNKED)) == []


@pytest.mark.parametrize(
    "raw", [*ALL.values(), EMPTY, EMPTY_CHUNKED], ids=[*ALL, "empty", "empty chunked"]
)
def test_only_a_response_with_nothing_after_it_leaves_the_connection_usable(raw):
    assert parse_response(raw).can_reuse_connection
    assert parse_response(*byte_by_byte(raw)).can_reuse_connection
    for surplus in (b"X", b"\r\n", b"\r", b"\n", b"\r\n\r\n", SIZED, CHUNKED, EMPTY, EARLY):
        parsed = parse_response(raw + surplus)
        assert not parsed.can_reuse_connection
        assert parsed.body == parse_response(raw).body
        for at in range(1, len(raw)):
            parsed = parse_response(raw[:at], raw[at:] + surplus)
            assert not parsed.can_reuse_connection


@pytest.mark.parametrize("fields", [b"connection: close\r\n", b"Connection: keep-alive, Close\r\n"])
@pytest.mark.parametrize("surplus", [b"", b"X", SIZED])
def test_a_connection_is_not_reused_after_an_announced_close(fields, surplus):
    parsed = parse_response(SIZED.replace(b"X-A:  b \r\n", fields) + surplus)
    assert parsed.body == b"hello"
    assert not parsed.can_reuse_connection


def test_old_servers_and_bodies_without_a_length_take_no_second_request():
    assert not parse_response(CLOSED).can_reuse_connection
    assert not parse_response(CLOSED.replace(b"1.0", b"1.1")).can_reuse_connection
    old = SIZED.replace(b"1.1", b"1.0").replace(b"X-A:  b", b"connection: keep-alive")
    assert not parse_response(old).can_reuse_connection


@pytest.mark.parametrize(
    "coding", [b"", b"content-encoding: gzip\r\n", b"content-encoding: br\r\n"]
)
@pytest.mark.parametrize(("method", "status"), [("HEAD", 200), ("POST", 204), ("GET", 304)])
def test_some_responses_have_no_body_whatever_their_headers_claim(method, status, coding):
    raw = SIZED.replace(b"200", b"%d" % status)[: -len(b"hello")]
    raw = raw.replace(b"X-A:  b \r\n", coding)
    parsed = parse_response(raw, method=method)
    assert (parsed.body, parsed.response.status_code) == (b"", status)
    assert parsed.can_reuse_connection
    assert not parse_response(raw + b"hello", method=method).can_reuse_connection


def test_fields_with_the_same_name_are_joined():
    parsed = parse_response(SIZED.replace(b"X-A", b"x-b: 1\r\nX-B: \xc3\xa9\r\nx-e:\r\nx-a"))
    assert dict(parsed.response.headers) == {
        "content-length": "5", "x-b": "1, é", "x-e": "", "x-a": "b",
    }  # fmt: skip
    latin = parse_response(SIZED.replace(b"X-A", b"x-l: \xe9\r\nx-a")).response
    assert latin.headers["x-l"] == "é"


@pytest.mark.parametrize("framing", [b"content-length: 0", b"transfer-encoding: chunked"])
def test_a_gzip_response_may_be_empty(framing):
    head = b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\n" + framing + b"\r\n\r\n"
    end = b"0\r\n\r\n" if b"chunked" in framing else b""
    assert parse_response(head + end).body == b""


@pytest.mark.parametrize("coding", [b"utf-8", b"identity"])
def test_a_coding_that_is_no_compression_passes(coding):
    assert (
        parse_response(SIZED.replace(b"X-A:  b", b"content-encoding: " + coding)).body == b"hello"
    )


def test_many_small_chunks_with_extensions_pass():
    chunk = b"1;sign=" + 100 * b"f" + b"\r\nx\r\n"
    raw = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n" + 900 * chunk + b"0\r\n\r\n"
    for size in (65_536, 1_000, 7):
        parsed = parse_response(*(raw[i : i + size] for i in range(0, len(raw), size)))
        assert parsed.body == 900 * b"x"
        assert parsed.can_reuse_connection


@pytest.mark.parametrize("size", [b"5  ", b"5\t", b"5 ;sign=f"])
def test_white_space_behind_the_size_of_a_chunk_is_passed_over(size):
    head = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"
    raw = head + size + b"\r\nhello\r\n0 \r\n\r\n"
    for parsed in (parse_response(raw), parse_response(*byte_by_byte(raw))):
        assert (parsed.body, parsed.can_reuse_connection) == (b"hello", True)


@given(
    st.binary(max_size=200), st.sampled_from(sorted(ALL)), st.integers(0, 200), st.integers(0, 9)
)
def test_any_bytes_are_a_response_or_an_error(noise, name, at, instead):
    raw = ALL[name]
    raw = raw[:at] + noise + raw[at + instead :]
    try:
        parsed = parse_response(raw)
    except httpx.RemoteProtocolError:
        return
    assert isinstance(parsed.body, bytes)
    assert parse_response(*byte_by_byte(raw)).body == parsed.body


@given(
    st.lists(st.binary(min_size=1, max_size=50), max_size=9),
    st.lists(st.integers(0, 900), max_size=9),
)
def test_chunks_are_read_as_they_were_written(parts, cuts):
    raw = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"
    raw += b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"
    edges = sorted({0, len(raw), *(cut % len(raw) for cut in cuts)})
    parsed = parse_response(*(raw[a:b] for a, b in itertools.pairwise(edges)))
    assert (parsed.body, parsed.can_reuse_connection) == (b"".join(parts), True)
