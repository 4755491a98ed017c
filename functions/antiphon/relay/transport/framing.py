"""Where an answer's body ends: chunked, of a length, or with its connection (RFC 9112, 6.3)."""

import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, replace

from antiphon.relay.transport.errors import ConnectionBroken, Malformed
from antiphon.relay.transport.head import Head, fields, section, tokens
from antiphon.relay.transport.reader import Reader

CHUNK = re.compile(rb"([0-9A-Fa-f]{1,15})[\t ]*(?:;[^\x00-\x08\x0a-\x1f\x7f]*)?")
LONGEST_CHUNK_LINE = 4096  # bytes, extensions included
LONGEST_TRAILERS = 16_384
LENGTH = re.compile(r"[0-9]{1,15}")
HAVE_NONE = {204, 304}
GZIP = {"gzip", "x-gzip"}
PACKED = {"br", "compress", "deflate", "zstd"}  # all else is no packing, whatever it is
GZIP_BITS = zlib.MAX_WBITS + 16


@dataclass(frozen=True)
class Body:
    """The pieces as they come, never an empty one."""

    pieces: Iterator[bytes]
    bounded: bool = True  # whether another answer may follow


def body_of(method: str, head: Head, reader: Reader) -> Body:
    """Raise Malformed where it cannot be told how to read it."""
    if method == "HEAD" or head.status in HAVE_NONE:
        return Body(iter(()))
    body = _framed(head, reader)
    coding = head.headers.get("content-encoding", "").lower()
    if coding in PACKED:
        raise Malformed("The answer is packed in a way that was not asked for.")
    return replace(body, pieces=_unpacked(body.pieces)) if coding in GZIP else body


def _framed(head: Head, reader: Reader) -> Body:
    coding, length = (head.headers.get(f) for f in ("transfer-encoding", "content-length"))
    if coding is None:
        if length is None:
            return Body(_until_the_end(reader), bounded=False)
        return Body(_sized(reader, _length(length)))
    if coding.lower() != "chunked":
        raise Malformed("The transfer is coded in a way that was not asked for.")
    # With a length as well, who reads it another way sees another end: nothing may follow.
    return Body(_chunked(reader), bounded=length is None)


def _length(text: str) -> int:
    """Said more than once, it must be the same."""
    said = tokens(text)
    length = said.pop()
    if said or not LENGTH.fullmatch(length):
        raise Malformed("The length is none.")
    return int(length)


def _sized(reader: Reader, left: int) -> Iterator[bytes]:
    while left:
        piece = reader.some(left)
        left -= len(piece)
        yield piece


def _chunked(reader: Reader) -> Iterator[bytes]:
    while size := _size(reader.line(LONGEST_CHUNK_LINE)):
        yield from _sized(reader, size)
        if reader.line(0):
            raise Malformed("A chunk is longer than it says.")
    fields(list(section(reader, LONGEST_TRAILERS)))  # read past, for the answer that follows


def _size(line: bytes) -> int:
    found = CHUNK.fullmatch(line)
    if found is None:
        raise Malformed("A chunk does not say its size.")
    return int(found[1], 16)


def _until_the_end(reader: Reader) -> Iterator[bytes]:
    while piece := reader.rest():
        yield piece


def _unpacked(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """Some that stand before a provider pack whatever passes, asked or not."""
    gzip = zlib.decompressobj(GZIP_BITS)
    begun = False
    try:
        for piece in pieces:
            begun = True
            if data := gzip.decompress(piece):
                yield data
    except zlib.error as exc:
        raise Malformed("The answer is not packed as it says.") from exc
    if begun and not gzip.eof:
        raise ConnectionBroken("What was packed is not complete.")
