"""The server's side of HTTP, for players that answer at once."""

import asyncio
from typing import cast

from infra.local.runtime_api.http_requests import RequestEnd, RequestHead, RequestReader

STREAM_HEAD = (
    b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\n"
    b"x-request-id: req_bench\r\ntransfer-encoding: chunked\r\n\r\n"
)


class Served(asyncio.Protocol):
    """Calls `answer` with each whole request; one connection, one request at a time."""

    def __init__(self) -> None:
        self._requests = RequestReader()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        for part in self._requests.feed(data):
            if isinstance(part, RequestHead):
                self._head, self._body = part, b""
            elif isinstance(part, RequestEnd):
                self.answer(self._head, self._body)
            else:
                self._body = part

    def answer(self, head: RequestHead, body: bytes) -> None:
        raise NotImplementedError


def whole(body: bytes, kind: bytes = b"application/json") -> bytes:
    """An answer with a length."""
    fields = b"content-type: %b\r\ncontent-length: %d" % (kind, len(body))
    return b"HTTP/1.1 200 OK\r\n%b\r\n\r\n%b" % (fields, body)
