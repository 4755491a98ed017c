"""Reads HTTP/1.1 requests from bytes, piece by piece, trailers too.

No server library at hand gives the trailers of a request, in which a runtime tells that its
stream broke. What runtimes send is simple HTTP, so this is all that is needed.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

LINE_END = b"\r\n"
HEAD_END = b"\r\n\r\n"


@dataclass(frozen=True)
class Head:
    """A request has begun."""

    method: str
    path: str
    headers: Mapping[str, str]  # names in lower case


@dataclass(frozen=True)
class End:
    """The request is complete."""

    trailers: Mapping[str, str]


type Part = Head | bytes | End


class Malformed(Exception):
    """The bytes are no HTTP request that a runtime would send."""


class Requests:
    """Takes bytes as they arrive; gives heads, pieces (one for each chunk), and ends."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._step: Callable[[], Part | None] = self._head
        self._size = 0

    def feed(self, data: bytes) -> Iterator[Part]:
        self._buffer += data
        try:
            while (part := self._step()) is not None:
                yield part
        except ValueError as exc:
            raise Malformed(bytes(self._buffer[:80])) from exc

    def _head(self) -> Head | None:
        if (end := self._buffer.find(HEAD_END)) < 0:
            return None
        line, *fields = self._take(end, HEAD_END).decode("latin-1").split("\r\n")
        method, path, _ = line.split(" ")
        head = Head(method, path, _fields(fields))
        self._size = int(head.headers.get("content-length", 0))
        chunked = head.headers.get("transfer-encoding", "").lower() == "chunked"
        self._step = self._chunk if chunked else self._sized if self._size else self._end
        return head

    def _chunk(self) -> Part | None:
        buffer = self._buffer
        if (start := buffer.find(LINE_END)) < 0:
            return None
        size = int(buffer[:start], 16)
        if not size:
            del buffer[: start + 2]
            self._step = self._trailers
            return self._trailers()
        end = start + 2 + size
        if len(buffer) < end + 2:
            return None
        piece = bytes(buffer[start + 2 : end])
        del buffer[: end + 2]
        return piece

    def _sized(self) -> bytes | None:
        if len(self._buffer) < self._size:
            return None
        self._step = self._end
        return self._take(self._size, b"")

    def _trailers(self) -> End | None:
        if self._buffer.startswith(LINE_END):
            del self._buffer[:2]
            return self._end()
        if (end := self._buffer.find(HEAD_END)) < 0:
            return None
        return self._end(self._take(end, HEAD_END).decode("latin-1").split("\r\n"))

    def _end(self, fields: list[str] | None = None) -> End:
        self._step = self._head
        return End(_fields(fields or []))

    def _take(self, size: int, ending: bytes) -> bytes:
        taken = bytes(self._buffer[:size])
        del self._buffer[: size + len(ending)]
        return taken


def _fields(lines: list[str]) -> dict[str, str]:
    pairs = (line.partition(":") for line in lines)
    return {name.strip().lower(): value.strip() for name, _, value in pairs}
