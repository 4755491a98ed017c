"""What is not HTTP as RFC 9112 has it, and so nothing that could be read in two ways."""

import pytest

from antiphon.relay.transport.errors import Malformed
from tests.support.upstream import read_from_memory

SIZED = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX-A:  b \r\n\r\nhello"


def headed(*fields, start=b"HTTP/1.1 200 OK"):
    return b"\r\n".join([start, *fields, b"", b"hello"])


def chunks(*lines):
    return b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n" + b"\r\n".join(lines)


@pytest.mark.parametrize(
    "raw",
    [
        b"\r\n" + SIZED,
        b" " + SIZED,
        b"nonsense\r\n\r\n",
        SIZED.replace(b"\r\n", b"\n"),
        SIZED.replace(b"\r\n", b"\n", 1),
        headed(start=b"HTTP/2 200 OK"),
        headed(start=b"HTTP/1.2 200 OK"),
        headed(start=b"http/1.1 200 OK"),
        headed(start=b"HTTP/1.1  200 OK"),
        headed(start=b"HTTP/1.1 20 OK"),
        headed(start=b"HTTP/1.1 2000 OK"),
        headed(start=b"HTTP/1.1 099 OK"),
        headed(start=b"HTTP/1.1 +20 OK"),
        headed(start=b"HTTP/1.1 200OK"),
        headed(start=b"HTTP/1.1 200 O\0K"),
        headed(start=b"HTTP/1.1 101 Switching Protocols"),
        headed(b"x-a"),
        headed(b"x a: b"),
        headed(b"x-a : b"),
        headed(b": b"),
        headed(b"x-a: b", b" folded"),
        headed(b"x-a: \0"),
        headed(b"x-a: a\rb"),
        headed(b"x-a: a\nb"),
        headed(b"content-length: -5"),
        headed(b"content-length: +5"),
        headed(b"content-length: 0x5"),
        headed(b"content-length: 5.0"),
        headed(b"content-length: 5_0"),
        headed(b"content-length: "),
        headed(b"content-length: 5", b"content-length: 6"),
        headed("content-length: \u0665".encode()),
        headed(b"content-length: " + 16 * b"1"),
        headed(b"transfer-encoding: gzip, chunked"),
        headed(b"transfer-encoding: identity"),
        headed(b"transfer-encoding: "),
        headed(b"transfer-encoding: chunked", b"transfer-encoding: chunked"),
        headed(b"content-encoding: br"),
        headed(b"content-encoding: gzip"),
        chunks(b"5", b"helloo", b"0", b"", b""),
        chunks(b"5", b"hello0", b"", b""),
        chunks(b"-1", b"", b""),
        chunks(b"0x5", b"hello", b"0", b"", b""),
        chunks(b"+5", b"hello", b"0", b"", b""),
        chunks(b"5_0", b"hello", b"0", b"", b""),
        chunks(b" 5", b"hello", b"0", b"", b""),
        chunks(b"5 5", b"hello", b"0", b"", b""),
        chunks(b"", b"hello", b"0", b"", b""),
        chunks(16 * b"f", b"hello"),
        chunks(b"5;" + 5000 * b"x", b"hello", b"0", b"", b""),
        chunks(b"5\nhello", b"0", b"", b""),
        chunks(b"5", b"hello", b"0", b"nonsense", b"", b""),
        chunks(b"0", *(b"x: " + 1000 * b"y" for _ in range(20)), b"", b""),
        headed(*(b"x: " + 1000 * b"y" for _ in range(110))),
        headed(b"x: " + 110_000 * b"y"),
        110_000 * b"y",
        2000 * b"HTTP/1.1 103 Early Hints\r\nlink: </x>\r\nx: 1234567890\r\n\r\n",
    ],
    ids=lambda raw: raw[:80].decode("latin-1"),
)
def test_what_is_not_http_is_not_guessed_at(raw):
    pieces = [raw[i : i + 65_536] for i in range(0, len(raw), 65_536)]
    with pytest.raises(Malformed):
        read_from_memory(*pieces)
