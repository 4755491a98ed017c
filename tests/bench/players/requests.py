"""The server's side of HTTP, for players that respond at once."""

import asyncio
from typing import cast

from httptools import HttpRequestParser

STREAM_HEAD = (
    b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\n"
    b"x-request-id: req_bench\r\ntransfer-encoding: chunked\r\n\r\n"
)


class RequestProtocol(asyncio.Protocol):
    """Calls `respond` with each whole request; one connection, one request at a time."""

    def __init__(self) -> None:
        self._parser = HttpRequestParser(self)  # which calls the methods named on_...

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_message_begin(self) -> None:
        self._headers: dict[bytes, bytes] = {}
        self._body = b""

    def on_header(self, name: bytes, value: bytes) -> None:
        self._headers[name.lower()] = value

    def on_body(self, data: bytes) -> None:
        self._body += data

    def on_message_complete(self) -> None:
        self.respond(self._headers, self._body)

    def respond(self, headers: dict[bytes, bytes], body: bytes) -> None:
        raise NotImplementedError


def encode_whole(body: bytes, kind: bytes = b"application/json") -> bytes:
    """A response with a length."""
    fields = b"content-type: %b\r\ncontent-length: %d" % (kind, len(body))
    return b"HTTP/1.1 200 OK\r\n%b\r\n\r\n%b" % (fields, body)
