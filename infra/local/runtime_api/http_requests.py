"""Reads HTTP/1.1 requests from bytes with h11: head, chunks, trailers.

A runtime reports in trailers that its stream failed, and h11 is a library that gives them.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import h11

# Trailers carry a whole error document in base64, which is more than h11's default of 16 KiB.
MAX_FIELDS_BYTES = 1 << 20


@dataclass(frozen=True)
class RequestHead:
    """The start of a request."""

    method: str
    path: str
    headers: Mapping[str, str]  # names in lower case


@dataclass(frozen=True)
class RequestEnd:
    """The end of a request."""

    trailers: Mapping[str, str]  # names in lower case


type RequestPart = RequestHead | bytes | RequestEnd


class RequestReader:
    """Reads the requests of one connection; the caller writes the responses itself."""

    def __init__(self) -> None:
        self._connection = _new_connection()
        self._buffer = bytearray()

    def feed(self, data: bytes) -> Iterator[RequestPart]:
        """Yield what is complete: heads, chunks (a body of known length as one), ends.

        Raise h11.RemoteProtocolError where the bytes are not HTTP/1.1.
        """
        self._connection.receive_data(data)
        while isinstance(event := self._connection.next_event(), h11.Event):
            yield from self._convert(event)

    def _convert(self, event: h11.Event) -> Iterator[RequestPart]:
        if isinstance(event, h11.Request):
            yield _read_head(event)
        elif isinstance(event, h11.Data):
            self._buffer += event.data
            if event.chunk_end:
                yield self._take_buffer()
        elif isinstance(event, h11.EndOfMessage):
            if self._buffer:
                yield self._take_buffer()
            self._start_next_request()
            yield RequestEnd(_decode_fields(event.headers))

    def _take_buffer(self) -> bytes:
        taken = bytes(self._buffer)
        self._buffer.clear()
        return taken

    def _start_next_request(self) -> None:
        """h11 sees no response, so each request gets a new connection object and the bytes left."""
        left, _ = self._connection.trailing_data
        self._connection = _new_connection()
        if left:
            self._connection.receive_data(left)


def _new_connection() -> h11.Connection:
    return h11.Connection(h11.SERVER, max_incomplete_event_size=MAX_FIELDS_BYTES)


def _read_head(request: h11.Request) -> RequestHead:
    method, path = request.method.decode("latin-1"), request.target.decode("latin-1")
    return RequestHead(method, path, _decode_fields(request.headers))


def _decode_fields(fields: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    return {name.decode("latin-1"): value.decode("latin-1") for name, value in fields}
