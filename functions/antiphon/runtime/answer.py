"""What a handler returned, made ready for the Runtime API."""

import base64
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Self, TypeGuard

from antiphon.runtime.failure import Failure, Fault
from antiphon.runtime.stream import Outlet

type Result = Mapping[str, Any]

PRELUDE_KEYS = ("statusCode", "headers", "multiValueHeaders", "cookies")
PRELUDE_END = bytes(8)
PRELUDE_BYTES = 16 * 1024  # its end is looked for within so many
NEVER_EMPTY = b"\n"  # a Function URL hangs on an empty body


@dataclass(frozen=True)
class Streamed:
    """An HTTP answer whose first chunk is there: from here on its status is decided."""

    opening: bytes  # prelude and first chunk
    rest: Iterator[bytes]
    outlet: Outlet
    body: Iterable[bytes]

    @classmethod
    def of(cls, result: Result) -> Self:
        outlet, body = Outlet(), body_of(result)
        try:
            prelude = _prelude(result)
            attach(body, outlet)
            rest = iter(body)
            first = next(filter(None, rest), NEVER_EMPTY)
            return cls(prelude + PRELUDE_END + first, rest, outlet, body)
        except BaseException:
            close(body)
            raise

    def close(self) -> None:
        if self.rest is not self.body:
            close(self.rest)
        close(self.body)


def is_http(result: object) -> TypeGuard[dict[str, Any]]:
    return isinstance(result, dict) and "statusCode" in result


def marshalled(result: object) -> bytes:
    try:
        return json.dumps(result, ensure_ascii=False).encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise Fault("Runtime.MarshalError", f"The result is not JSON: {error}") from error


def body_of(result: Result) -> Iterable[bytes]:
    body: Any = result.get("body")
    if body is None:
        return ()
    if isinstance(body, str):
        return (_decoded(body) if result.get("isBase64Encoded") else body.encode(),)
    return (body,) if isinstance(body, bytes) else body


def attach(body: Iterable[bytes], outlet: Outlet) -> None:
    """Hand the outlet's door to a body that asks for it."""
    asks = getattr(body, "attach", None)
    if callable(asks):
        asks(outlet.send)


def close(body: object) -> None:
    """Let a body, or its iterator, release what it holds."""
    closes = getattr(body, "close", None)
    if not callable(closes):
        return
    try:
        closes()
    except Exception as error:  # noqa: BLE001  the answer is out, or failed for a better reason
        Failure.of(error).log()


def prelude_of(result: Result) -> dict[str, Any]:
    return {key: result[key] for key in PRELUDE_KEYS if result.get(key) is not None}


def _prelude(result: Result) -> bytes:
    prelude = marshalled(prelude_of(result))
    if len(prelude) + len(PRELUDE_END) > PRELUDE_BYTES:
        raise Fault("Runtime.PreludeTooLarge", f"Status and headers take {len(prelude)} bytes.")
    return prelude


def _decoded(body: str) -> bytes:
    try:
        return base64.b64decode(body, validate=True)
    except ValueError as error:
        raise Fault("Runtime.MarshalError", f"The body is not base64: {error}") from error
