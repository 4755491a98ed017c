"""The server side of Lambda's Runtime API: one connection of a runtime, and its requests.

It refuses what AWS refuses: https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
"""

import asyncio
import base64
import json
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import cast

import h11

from infra.local.aws.resources import ACCOUNT, REGION
from infra.local.runtime_api.http_requests import RequestEnd, RequestHead, RequestReader
from infra.local.runtime_api.invocation import Deliver, Invocation, InvocationSlot, parse_error

VERSION = "2018-06-01"
ARN = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:antiphon-local"
RESPONSE_MODES = {None, "streaming"}
INCOMPLETE = "The runtime's connection was lost in the middle of its response."

type Trailers = Mapping[str, str]


def build_response(status: HTTPStatus, body: bytes, headers: Mapping[str, object]) -> bytes:
    fields = {"Content-Type": "application/json", "Content-Length": len(body), **headers}
    lines = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    return f"HTTP/1.1 {status} {status.phrase}\r\n{lines}\r\n".encode() + body


# To restore/next: a process of its own is not a snapshot, so that it is restored at once.
RESTORED = build_response(HTTPStatus.OK, b"", {})
ACCEPTED = build_response(HTTPStatus.ACCEPTED, b'{"status":"OK"}\n', {})


@dataclass(frozen=True)
class Exchange:
    """How one request is processed: each piece of its body, its end, the loss of its connection."""

    end: Callable[[Trailers], bytes]  # returns the response
    put: Callable[[bytes], None] = lambda _: None
    lose: Callable[[], None] = lambda: None


def accept_response(invocation: Invocation) -> Exchange:
    """POST /runtime/invocation/ID/response: the invocation's response, buffered or streamed."""

    def end(trailers: Trailers) -> bytes:
        invocation.end(_parse_failure(trailers))
        return ACCEPTED

    return Exchange(end, invocation.put, lambda: invocation.end(INCOMPLETE))


def accept_error(report: Callable[[str], None]) -> Exchange:
    """POST to init/error, restore/error or invocation/ID/error: an error document."""
    pieces: list[bytes] = []

    def end(_: Trailers) -> bytes:
        report(parse_error(b"".join(pieces)))
        return ACCEPTED

    return Exchange(end, pieces.append)


def refuse(status: HTTPStatus, error_type: str) -> Exchange:
    """Answer with an error after the end of the request."""
    error = {"errorType": error_type, "errorMessage": status.phrase}
    response = build_response(status, json.dumps(error).encode(), {})
    return Exchange(lambda _: response)


def request_event(slot: InvocationSlot, deliver: Deliver) -> Exchange:
    """GET /runtime/invocation/next: the response follows with the next invocation."""
    refusal = refuse(HTTPStatus.FORBIDDEN, "InvalidStateTransition")
    return Exchange(lambda trailers: b"" if slot.request_event(deliver) else refusal.end(trailers))


def _parse_failure(trailers: Trailers) -> str | None:
    """The failure that trailers report after a stream; the body has more detail than the type."""
    body = base64.b64decode(trailers.get("lambda-runtime-function-error-body", ""))
    return parse_error(body) if body else trailers.get("lambda-runtime-function-error-type")


class Connection(asyncio.Protocol):
    """One connection of the runtime."""

    def __init__(self, slot: InvocationSlot) -> None:
        self._slot = slot
        self._requests = RequestReader()
        self._exchange: Exchange | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._slot.add_connection()

    def data_received(self, data: bytes) -> None:
        try:
            for part in self._requests.feed(data):
                if type(part) is bytes and self._exchange:
                    self._exchange.put(part)
                elif isinstance(part, RequestHead):
                    self._exchange = self._start_exchange(part)
                elif isinstance(part, RequestEnd):
                    self._end_exchange(part)
        except h11.RemoteProtocolError:
            self._transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002  asyncio passes it
        if self._exchange:
            self._exchange.lose()
        self._slot.remove_connection(self._deliver)

    def _end_exchange(self, end: RequestEnd) -> None:
        exchange, self._exchange = self._exchange, None
        if exchange and (response := exchange.end(end.trailers)):
            self._transport.write(response)

    def _start_exchange(self, head: RequestHead) -> Exchange:
        match [head.method, *head.path.strip("/").split("/")]:
            case ["GET", version, "runtime", "invocation", "next"] if version == VERSION:
                return request_event(self._slot, self._deliver)
            case ["GET", version, "runtime", "restore", "next"] if version == VERSION:
                return Exchange(lambda _: RESTORED)
            case ["POST", version, "runtime", "init" | "restore", "error"] if version == VERSION:
                return accept_error(self._slot.end)
            case ["POST", version, "runtime", "invocation", id, action] if version == VERSION:
                return self._start_post(self._slot.find_unanswered(id), action, head)
        return refuse(HTTPStatus.NOT_FOUND, "NotFound")

    def _start_post(
        self, invocation: Invocation | None, action: str, head: RequestHead
    ) -> Exchange:
        if invocation is None:
            return refuse(HTTPStatus.BAD_REQUEST, "InvalidRequestID")
        if action == "error":
            return accept_error(invocation.end)
        if action != "response":
            return refuse(HTTPStatus.NOT_FOUND, "NotFound")
        if head.headers.get("lambda-runtime-function-response-mode") not in RESPONSE_MODES:
            return refuse(HTTPStatus.BAD_REQUEST, "InvalidFunctionResponseMode")
        invocation.transport = self._transport
        return accept_response(invocation)

    def _deliver(self, invocation: Invocation) -> None:
        random = uuid.uuid4().hex
        headers = {
            "Lambda-Runtime-Aws-Request-Id": invocation.id,
            "Lambda-Runtime-Deadline-Ms": invocation.deadline_ms,
            "Lambda-Runtime-Invoked-Function-Arn": ARN,
            "Lambda-Runtime-Trace-Id": f"Root=1-{random[:8]}-{random[8:]};Sampled=0",
        }
        self._transport.write(build_response(HTTPStatus.OK, invocation.event, headers))
