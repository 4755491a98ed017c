"""Lambda's Runtime API for one runtime process; what AWS checks is checked."""

import asyncio
import uuid
from http import HTTPStatus
from typing import cast

import h11

from infra.local import exchange
from infra.local.desk import Desk
from infra.local.exchange import Exchange
from infra.local.invocation import Invocation
from infra.local.wire import RequestEnd, RequestHead, RequestReader

VERSION = "2018-06-01"
ARN = "arn:aws:lambda:us-east-1:123456789012:function:antiphon-local"
MODES = {None, "streaming"}


class Connection(asyncio.Protocol):
    """One connection of the runtime."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._requests = RequestReader()
        self._exchange: Exchange | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._desk.connected()

    def data_received(self, data: bytes) -> None:
        try:
            for part in self._requests.feed(data):
                if type(part) is bytes and self._exchange:
                    self._exchange.put(part)
                elif isinstance(part, RequestHead):
                    self._exchange = self._open(part)
                elif isinstance(part, RequestEnd):
                    self._close(part)
        except h11.RemoteProtocolError:
            self._transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002  asyncio gives it
        if self._exchange:
            self._exchange.lost()
        self._desk.disconnected(self._hand)

    def _close(self, end: RequestEnd) -> None:
        begun, self._exchange = self._exchange, None
        if begun and (said := begun.end(end.trailers)):
            self._transport.write(said)

    def _open(self, head: RequestHead) -> Exchange:
        match [head.method, *head.path.strip("/").split("/")]:
            case ["GET", version, "runtime", "invocation", "next"] if version == VERSION:
                return exchange.ask(self._desk, self._hand)
            case ["POST", version, "runtime", "init", "error"] if version == VERSION:
                return exchange.document(self._desk.leave)
            case ["POST", version, "runtime", "invocation", id, what] if version == VERSION:
                return self._about(self._desk.owed(id), what, head)
        return exchange.refusal(HTTPStatus.NOT_FOUND, "NotFound")

    def _about(self, invocation: Invocation | None, what: str, head: RequestHead) -> Exchange:
        if invocation is None:
            return exchange.refusal(HTTPStatus.BAD_REQUEST, "InvalidRequestID")
        if what == "error":
            return exchange.document(invocation.end)
        if what != "response":
            return exchange.refusal(HTTPStatus.NOT_FOUND, "NotFound")
        if head.headers.get("lambda-runtime-function-response-mode") not in MODES:
            return exchange.refusal(HTTPStatus.BAD_REQUEST, "InvalidFunctionResponseMode")
        invocation.source = self._transport
        return exchange.answer(invocation)

    def _hand(self, invocation: Invocation) -> None:
        random = uuid.uuid4().hex
        headers = {
            "Lambda-Runtime-Aws-Request-Id": invocation.id,
            "Lambda-Runtime-Deadline-Ms": invocation.deadline_ms,
            "Lambda-Runtime-Invoked-Function-Arn": ARN,
            "Lambda-Runtime-Trace-Id": f"Root=1-{random[:8]}-{random[8:]};Sampled=0",
        }
        self._transport.write(exchange.reply(HTTPStatus.OK, invocation.event, headers))
