"""What becomes of one request that a runtime makes of its Runtime API."""

import base64
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus

from infra.local.desk import Desk, Hand
from infra.local.invocation import Invocation, told

type Trailers = Mapping[str, str]

JSON = "application/json"
BROKE_OFF = "The runtime broke off in the middle of its answer."


def reply(status: HTTPStatus, body: bytes, headers: Mapping[str, object]) -> bytes:
    fields = {"Content-Type": JSON, "Content-Length": len(body), **headers}
    lines = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    return f"HTTP/1.1 {status} {status.phrase}\r\n{lines}\r\n".encode() + body


ACCEPTED = reply(HTTPStatus.ACCEPTED, b'{"status":"OK"}\n', {})


@dataclass(frozen=True)
class Exchange:
    """What to do with the request's pieces, at its end, and if it is cut short."""

    end: Callable[[Trailers], bytes]  # gives the answer to the runtime
    put: Callable[[bytes], None] = lambda _: None
    lost: Callable[[], None] = lambda: None


def answer(invocation: Invocation) -> Exchange:
    """The runtime posts an invocation's answer, at once or chunk by chunk."""

    def end(trailers: Trailers) -> bytes:
        invocation.end(_failure(trailers))
        return ACCEPTED

    return Exchange(end, invocation.put, lambda: invocation.end(BROKE_OFF))


def document(then: Callable[[str], None]) -> Exchange:
    """The runtime posts an account of a failure."""
    pieces: list[bytes] = []

    def end(_: Trailers) -> bytes:
        then(told(b"".join(pieces)))
        return ACCEPTED

    return Exchange(end, pieces.append)


def refusal(status: HTTPStatus, kind: str) -> Exchange:
    """The runtime asks for what it must not, and is told so at the end of its request."""
    error = {"errorType": kind, "errorMessage": status.phrase}
    said = reply(status, json.dumps(error).encode(), {})
    return Exchange(lambda _: said)


def ask(desk: Desk, hand: Hand) -> Exchange:
    """The runtime asks for its next event, and waits for it."""
    too_early = refusal(HTTPStatus.FORBIDDEN, "InvalidStateTransition")
    return Exchange(lambda trailers: b"" if desk.ask(hand) else too_early.end(trailers))


def _failure(trailers: Trailers) -> str | None:
    """A stream that broke is told of after its end; the body says more than the type."""
    body = base64.b64decode(trailers.get("lambda-runtime-function-error-body", ""))
    return told(body) if body else trailers.get("lambda-runtime-function-error-type")
