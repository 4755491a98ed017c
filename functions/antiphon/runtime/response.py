"""Turns a handler's result into what the Runtime API takes: JSON, or a stream of chunks."""

import base64
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from operator import length_hint
from threading import Lock
from typing import Any, Protocol, Self, TypeGuard

from antiphon.runtime.failure import Failure, Fault
from antiphon.runtime.wire import Disconnected, encode_chunk

type HttpResult = Mapping[str, Any]
type Body = Iterable[bytes]
type Write = Callable[[bytes], None]

PRELUDE_KEYS = ("statusCode", "headers", "multiValueHeaders", "cookies")
PRELUDE_END = bytes(8)
MAX_PRELUDE_BYTES = 16 * 1024  # Lambda searches for its end only this far
EMPTY_BODY = b"\n"  # a Function URL hangs on a body without a byte


class SupportsAttach(Protocol):
    """A body that also sends chunks from other threads, between those that it yields."""

    def attach(self, send: Write) -> None: ...


class SupportsInterrupt(Protocol):
    """A body that can end early and in order, whatever it waits for."""

    def interrupt(self) -> None: ...


class SupportsClose(Protocol):
    """A body, or its iterator, that holds resources."""

    def close(self) -> None: ...


class ChunkWriter:
    """Writes a body's chunks, each with one `write`; `send` may be called from any thread."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._write: Write | None = None

    def send(self, data: bytes) -> None:
        """Write `data` as one chunk; does nothing before the first chunk or after the last."""
        with self._lock:
            # An empty chunk would end the stream. `write_body` reports a broken connection.
            if data and self._write:
                with suppress(Disconnected):
                    self._write(encode_chunk(data))

    def write_body(self, write: Write, opening: bytes, chunks: Body) -> BaseException | None:
        """Write `opening` as it is, then each chunk, but not the last chunk of the stream.

        Returns the exception that the body raised, or None; raises `Disconnected`.
        """
        with self._lock:
            write(opening)
            self._write = write
        try:
            return self._write_chunks(write, chunks)
        finally:
            with self._lock:
                self._write = None

    def _write_chunks(self, write: Write, chunks: Body) -> BaseException | None:
        lock = self._lock
        try:
            for data in chunks:
                if data:
                    with lock:  # without a name the frame, a copy, is gone before the next event
                        write(encode_chunk(data))
        except Disconnected:
            raise
        except BaseException as error:  # noqa: BLE001  the trailers carry it
            return error
        return None


@dataclass(frozen=True)
class StreamedResponse:
    """An HTTP response that has its first chunk, after which its status cannot change."""

    first_chunk: bytes  # with the prelude before it
    chunks: Iterator[bytes]  # those after the first
    writer: ChunkWriter
    body: Body
    _resources: ExitStack

    @property
    def is_whole(self) -> bool:
        """Whether nothing can follow the first chunk, which is certain of bytes and sequences."""
        return length_hint(self.chunks, 1) == 0

    @classmethod
    def from_result(cls, result: HttpResult) -> Self:
        """Wait for the body's first chunk; raises what the body raises, and closes the body."""
        writer, body = ChunkWriter(), _decode_body(result)
        with ExitStack() as resources:
            resources.callback(_close, body)
            prelude = _encode_prelude(result)
            chunks = _open_body(body, writer, resources)
            first = next(filter(None, chunks), EMPTY_BODY)
            opening = prelude + PRELUDE_END + first
            return cls(opening, chunks, writer, body, resources.pop_all())

    def interrupt(self) -> None:
        """Have the body end early, if it can."""
        if _can_interrupt(self.body):
            self.body.interrupt()

    def close(self) -> None:
        """Close the body's iterator, then the body; each once, also if called again."""
        self._resources.close()


def buffer_result(result: HttpResult) -> dict[str, Any]:
    """Read a body to its end; returns the only form that `sam local` takes: a proxy response."""
    prelude = _select_prelude(result)
    multi = _add_cookies(prelude.get("multiValueHeaders", {}), prelude.get("cookies", []))
    body = _encode_text(_read_body(result))
    return {"headers": {}, **prelude, "multiValueHeaders": multi, **body}


def is_http_result(result: object) -> TypeGuard[dict[str, Any]]:
    """Whether the result is an HTTP response, which is streamed; all others are sent as JSON."""
    return isinstance(result, dict) and "statusCode" in result


def encode_json(result: object) -> bytes:
    """Raises `Fault` with Lambda's type for a result that JSON cannot hold."""
    try:
        return json.dumps(result, ensure_ascii=False).encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise Fault("Runtime.MarshalError", f"The result is not JSON: {error}") from error


def last_chunk(failure: Failure | None, request_id: str) -> bytes:
    """The empty chunk that ends a stream, with the failure, if any, in its trailers."""
    trailers = failure.encode_trailers(request_id) if failure else b""
    return b"0\r\n%b\r\n" % trailers


def _open_body(body: Body, writer: ChunkWriter, resources: ExitStack) -> Iterator[bytes]:
    """Attach the body to the writer and iterate it; `resources` will close the iterator."""
    if _can_attach(body):
        body.attach(writer.send)
    chunks = iter(body)
    if chunks is not body:
        resources.callback(_close, chunks)
    return chunks


def _read_body(result: HttpResult) -> bytes:
    body = _decode_body(result)
    with ExitStack() as resources:
        resources.callback(_close, body)
        # This writer never writes: nobody reads what is sent between the chunks.
        return b"".join(_open_body(body, ChunkWriter(), resources)) or EMPTY_BODY


def _close(body: object) -> None:
    """Close a body or an iterator; an error is logged, since the response does not depend on it."""
    if not _can_close(body):
        return
    try:
        body.close()
    except Exception as error:  # noqa: BLE001  the response was sent, or failed before this
        Failure.from_exception(error).log()


# `isinstance` of a protocol takes 4 µs, and each response would need it three times.
def _can_attach(body: object) -> TypeGuard[SupportsAttach]:
    return hasattr(body, "attach")


def _can_interrupt(body: object) -> TypeGuard[SupportsInterrupt]:
    return hasattr(body, "interrupt")


def _can_close(body: object) -> TypeGuard[SupportsClose]:
    return hasattr(body, "close")


def _decode_body(result: HttpResult) -> Body:
    body: Any = result.get("body")
    if body is None:
        return ()
    if isinstance(body, str):
        return (_decode_base64(body) if result.get("isBase64Encoded") else body.encode(),)
    return (body,) if isinstance(body, bytes) else body


def _decode_base64(body: str) -> bytes:
    try:
        return base64.b64decode(body, validate=True)
    except ValueError as error:
        raise Fault("Runtime.MarshalError", f"The body is not base64: {error}") from error


def _select_prelude(result: HttpResult) -> dict[str, Any]:
    return {key: result[key] for key in PRELUDE_KEYS if result.get(key) is not None}


def _encode_prelude(result: HttpResult) -> bytes:
    prelude = encode_json(_select_prelude(result))
    if len(prelude) + len(PRELUDE_END) > MAX_PRELUDE_BYTES:
        raise Fault("Runtime.PreludeTooLarge", f"Status and headers take {len(prelude)} bytes.")
    return prelude


def _add_cookies(headers: Mapping[str, list[str]], cookies: list[str]) -> dict[str, list[str]]:
    """Payload format 1.0 has no `cookies`, and 2.0 no multi-value headers: provide both."""
    if not cookies:
        return dict(headers)
    return {**headers, "Set-Cookie": [*headers.get("Set-Cookie", []), *cookies]}


def _encode_text(body: bytes) -> dict[str, Any]:
    try:
        return {"body": body.decode(), "isBase64Encoded": False}
    except UnicodeDecodeError:
        return {"body": base64.b64encode(body).decode(), "isBase64Encoded": True}
