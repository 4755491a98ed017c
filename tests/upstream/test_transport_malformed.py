"""Refuses responses that are not HTTP/1.1 as RFC 9112 defines it, however they arrive."""

import httpx
import pytest

from tests.support.upstream import exchange, parse_response, run_peer

SIZED = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX-A:  b \r\n\r\nhello"
CUT = "connection ended before"
FRAMED = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"


def with_fields(*fields, start=b"HTTP/1.1 200 OK"):
    return b"\r\n".join([start, *fields, b"", b"hello"])


def with_chunks(*lines):
    return FRAMED + b"\r\n".join(lines)


CASES = [
    b"\r\n" + SIZED,
    b" " + SIZED,
    b"nonsense\r\n\r\n",
    b"SSH-2.0-x\r\n",
    SIZED.replace(b"\r\n", b"\n"),
    SIZED.replace(b"\r\n", b"\n", 1),
    with_fields(start=b"HTTP/2 200 OK"),
    with_fields(start=b"HTTP/1.2 200 OK"),
    with_fields(start=b"http/1.1 200 OK"),
    with_fields(start=b"HTTP/1.1  200 OK"),
    with_fields(start=b"HTTP/1.1 20 OK"),
    with_fields(start=b"HTTP/1.1 2000 OK"),
    with_fields(start=b"HTTP/1.1 099 OK"),
    with_fields(start=b"HTTP/1.1 +20 OK"),
    with_fields(start=b"HTTP/1.1 200OK"),
    with_fields(start=b"HTTP/1.1 200 O\0K"),
    with_fields(start=b"HTTP/1.1 101 Switching Protocols"),
    with_fields(b"upgrade: x", b"connection: upgrade", start=b"HTTP/1.1 101 Switching Protocols"),
    b"HTTP/1.1 103 Early Hints\r\n\r\n\r\n" + SIZED,
    with_fields(b"x-a"),
    with_fields(b"x a: b"),
    with_fields(b"x-a : b"),
    with_fields(b": b"),
    with_fields(b"x-a: b", b" folded"),
    with_fields(b"x-a: \0"),
    with_fields(b"x-a: b\x01"),
    with_fields(b"x-a: b\x7f"),
    with_fields(b"x-a: a\rb"),
    with_fields(b"x-a: a\nb"),
    with_fields(b"content-length: -5"),
    with_fields(b"content-length: +5"),
    with_fields(b"content-length: 0x5"),
    with_fields(b"content-length: 5.0"),
    with_fields(b"content-length: 5_0"),
    with_fields(b"content-length: "),
    with_fields(b"content-length: 5", b"content-length: 6"),
    with_fields(b"content-length: 5", b"content-length: 5"),
    with_fields(b"content-length: 5, 5"),
    with_fields("content-length: \u0665".encode()),
    with_fields(b"content-length: " + 16 * b"1"),
    with_fields(b"transfer-encoding: gzip, chunked"),
    with_fields(b"transfer-encoding: identity"),
    with_fields(b"transfer-encoding: "),
    with_fields(b"transfer-encoding: chunked", b"transfer-encoding: chunked"),
    with_fields(b"transfer-encoding: chunked", b"content-length: 5"),
    with_fields(b"content-encoding: br"),
    with_fields(b"content-encoding: zstd"),
    with_fields(b"content-encoding: deflate"),
    with_fields(b"content-encoding: compress"),
    with_fields(b"content-encoding: gzip, gzip"),
    with_fields(b"content-encoding: gzip", b"content-encoding: BR"),
    with_fields(b"content-encoding: gzip"),
    with_chunks(b"5", b"helloo", b"0", b"", b""),
    with_chunks(b"5", b"hello0", b"", b""),
    with_chunks(b"-1", b"", b""),
    with_chunks(b"0x5", b"hello", b"0", b"", b""),
    with_chunks(b"+5", b"hello", b"0", b"", b""),
    with_chunks(b"5_0", b"hello", b"0", b"", b""),
    with_chunks(b" 5", b"hello", b"0", b"", b""),
    with_chunks(b"5 5", b"hello", b"0", b"", b""),
    with_chunks(b"", b"hello", b"0", b"", b""),
    with_chunks(17 * b"f", b"hello"),
    with_chunks(b"5;" + 5000 * b"x", b"hello", b"0", b"", b""),
    with_chunks(b"5;" + 5000 * b"x"),
    with_chunks(b"5\nhello", b"0", b"", b""),
    with_chunks(b"5", b"hello", b"0", b"nonsense", b"", b""),
    with_chunks(b"0", *(b"x: " + 1000 * b"y" for _ in range(20)), b"", b""),
    with_chunks(b"0", b"x: " + 20_000 * b"y"),
    with_fields(*(b"x: " + 1000 * b"y" for _ in range(110))),
    with_fields(b"x: " + 110_000 * b"y"),
    110_000 * b"y",
    2000 * b"HTTP/1.1 103 Early Hints\r\nlink: </x>\r\nx: 1234567890\r\n\r\n",
]
every_case = pytest.mark.parametrize("raw", CASES, ids=lambda raw: raw[:80].decode("latin-1"))


def refusal(call, *args):
    with pytest.raises(httpx.RemoteProtocolError) as raised:
        call(*args)
    assert CUT not in str(raised.value)
    return raised.value


@every_case
def test_a_malformed_response_is_refused(raw, transport):
    """Whole, byte by byte, and on a connection."""
    for size in (65_536, max(1, len(raw) // 5_000)):
        refusal(parse_response, *(raw[i : i + size] for i in range(0, len(raw), size)))
    with run_peer(raw) as peer:
        error = refusal(exchange, transport, peer.url)
    assert "hello" not in str(error)
    assert not any(transport._pool._idle.values())


def test_a_chunk_size_beyond_every_body_never_ends():
    with pytest.raises(httpx.RemoteProtocolError, match=CUT):
        parse_response(with_chunks(16 * b"f", b"hello"))
