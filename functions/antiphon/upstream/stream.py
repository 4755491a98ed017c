"""A provider's event stream as it passes: whole events only, and always a terminal event."""

import time
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from itertools import chain
from typing import Any, NamedTuple

import httpx

from antiphon import sse
from antiphon.errors import GatewayError, UpstreamFailed
from antiphon.http import Send
from antiphon.providers.errors import mask_account, mask_account_in
from antiphon.upstream.faults import translate_error
from antiphon.upstream.timers import NEVER, ReadTimer, gateway_stopped

TERMINAL = {"response.completed", "response.failed", "response.incomplete", "error"}
# Events that say no more than that the response exists; the last two are keep-alives.
LIFECYCLE = {"response.created", "response.queued", "response.in_progress", "keepalive", "ping"}
IGNORED_TAILS = {b"", b"data: [DONE]"}
LINGER_SECONDS = 5.0  # for which a provider may keep a stream open after its terminal event

type ResponseObject = Mapping[str, Any]


class EventBatch(NamedTuple):
    """Whole events as they came, and the response objects in them."""

    data: bytes
    responses: tuple[ResponseObject, ...] = ()
    ends: bool = False  # the provider's terminal event is among them


class UpstreamStream:
    """Iterate once. A stream that the provider does not end, ends with the terminal pair.

    The pair (an `error` event in both documented shapes, then `response.failed`) is what every
    client treats as a failure; most take a clean end without it for success.
    """

    def __init__(
        self,
        chunks: Iterable[bytes],
        timer: ReadTimer,
        close: Callable[[], None],
        splitter: sse.EventSplitter,
    ) -> None:
        self._chunks = iter(chunks)
        self._timer = timer
        self._close = close
        self._splitter = splitter
        self._last_event = b""
        self._response: ResponseObject | None = None
        self._has_started = False
        self._is_passing = False  # it has started, and nothing is held back
        self._batches: Generator[EventBatch] = self._read()
        self._first: tuple[EventBatch, ...] = ()
        self._is_held = False
        self._has_output = False  # known while it is held
        self.ended: str | None = None  # the terminal event's type, once it has passed
        self.error_code: str | None = None  # of the terminal event
        self.fault: GatewayError | None = None  # why it ended without a terminal event
        self.passed_events, self.passed_bytes = 0, 0  # the provider's own
        self.on_close: Callable[[], None] = lambda: None

    def open(self, max_silence: float, hold_seconds: float = 0) -> None:
        """Wait for the first event; raise GatewayError without one: the status is still open.

        Hold events back for so many seconds while they say only that the response exists.
        """
        self._is_held = hold_seconds > 0
        self._first = (next(self._batches),)
        hold_until = min(time.monotonic() + hold_seconds, self._timer.answers_by)
        self._timer.answers_by = NEVER  # the caller gets it now
        if self._is_held:
            self._hold(hold_until)
        if self.ended is None:
            self._timer.allow_silence(max_silence)

    @property
    def ended_without_output(self) -> bool:
        """Whether it failed while it was held, so that nothing of it was generated or paid."""
        usage = (self._response or {}).get("usage")
        return self._is_held and self.ended is not None and not (self._has_output or usage)

    def attach(self, send: Send) -> None:
        """Send comments through this function while the provider is silent."""
        if self.ended is None:
            self._timer.start_keep_alive(send)

    def interrupt(self) -> None:
        """End the provider's stream, as its silence would."""
        self._timer.end_read(gateway_stopped())

    def __iter__(self) -> Iterator[EventBatch]:
        return chain(self._first, self._batches)

    def close(self) -> None:
        self._batches.close()
        self._close()
        on_close, self.on_close = self.on_close, lambda: None
        on_close()

    def terminal_pair(self, fault: GatewayError, response: ResponseObject | None) -> bytes:
        """Return the terminal events for a fault, numbered on from the provider's last event.

        `response`: the last snapshot whose id has an owner; None leaves out the second event.
        """
        number = self._next_sequence_number()
        error = fault.error()
        flat = {**error, "type": "error", "sequence_number": number}
        events = sse.encode_event({**flat, "error": error})
        if response is None:
            return events
        failure = {"code": "server_error", "message": str(fault)}
        return events + _encode_failed(number + 1, response, failure)

    def _hold(self, ends_at: float) -> None:
        while not (self._has_output or self.ended or self.fault):
            if not self._timer.wait_readable(ends_at - time.monotonic()):
                return
            self._first += (next(self._batches),)

    def _read(self) -> Generator[EventBatch]:
        """Yield the events that each chunk completes, and the terminal pair after a fault."""
        try:
            yield from self._begin()
            for chunk in self._chunks:
                if self._is_passing and not self._splitter.unfinished and _is_plain(chunk):
                    yield self._pass(chunk)
                    continue
                self._timer.last_read = time.monotonic()
                if events := self._splitter.feed(chunk):
                    batch, events = self._batch(events), []  # its data may be a second copy
                    yield batch
        except (httpx.RequestError, sse.EventTooLarge) as exc:
            yield from self._end(self._fault_of(exc))
        else:
            yield from self._end(self._timer.fault)  # without a length, a cut body ends cleanly

    def _begin(self) -> Iterator[EventBatch]:
        """Yield the first events; comments before them leave the status open."""
        pending: list[bytes] = []
        for chunk in self._chunks:
            pending += self._splitter.feed(chunk)
            if any(map(_has_data, pending)):
                batch, pending = self._batch(pending), []  # its data may be a second copy
                yield batch
                return

    def _pass(self, event: bytes) -> EventBatch:
        """Pass an event on as `_batch` would, for those of which a stream has hundreds."""
        self._timer.last_read = self._timer.last_sent = time.monotonic()
        self._last_event = event
        self.passed_events += 1
        self.passed_bytes += len(event)
        return EventBatch(event)

    def _fault_of(self, exc: httpx.RequestError | sse.EventTooLarge) -> GatewayError:
        if isinstance(exc, sse.EventTooLarge):
            return UpstreamFailed(str(exc), code="event_too_large")
        return self._timer.fault or translate_error(exc)

    def _end(self, fault: GatewayError | None) -> Iterator[EventBatch]:
        """Yield what ends the stream; raise the fault while the status is still open."""
        if self.ended is not None:  # the provider's own terminal event has passed
            tail = self._splitter.tail
            if fault is None and tail and tail.strip() in IGNORED_TAILS:
                yield EventBatch(tail)
            return
        last = sse.complete_event(self._splitter.tail)
        event = sse.parse_event(last)
        if event is not None and _is_terminal(event):  # only the blank line was missing
            yield self._batch([last])
            return
        fault = fault or UpstreamFailed("The provider's stream ended before the response did.")
        if not self._has_started:
            raise fault
        self.fault = fault
        yield EventBatch(self.terminal_pair(fault, self._response))

    def _batch(self, events: list[bytes]) -> EventBatch:
        self._has_started = True
        self._timer.last_sent = time.monotonic()
        responses: tuple[ResponseObject, ...] = ()
        passed = []
        had_ended = self.ended is not None
        for received in events:
            event = received
            if self._is_held and not self._has_output:
                self._has_output = not _is_lifecycle(event)
            if b'"response"' in event or b"error" in event:  # all others are deltas and the like
                parsed = sse.parse_event(event)
                responses += self._inspect(parsed)
                event = _mask_error(event, parsed)
            if self.ended is None and b"[DONE]" in event and sse.event_data(event) == b"[DONE]":
                continue  # clients stop reading here and would miss the terminal event
            if not event.startswith(b":"):
                self._last_event = event
            passed.append(event)
        data = passed[0] if len(passed) == 1 else b"".join(passed)
        self.passed_events += len(passed)
        self.passed_bytes += len(data)
        self._is_passing = self._has_output or not self._is_held
        return EventBatch(data, responses, self.ended is not None and not had_ended)

    def _inspect(self, event: sse.Event | None) -> tuple[ResponseObject, ...]:
        """Remember what an event says about the response; return its response object, if any."""
        if event is None:
            return ()
        if _is_terminal(event):
            self.ended = event.type if event.type in TERMINAL else "error"
            self.error_code = _error_code(event)
            self._timer.expect_end(LINGER_SECONDS)
        response = event.response
        if response is not None and response.get("id") is None and self._response is not None:
            response = {**response, "id": self._response["id"]}  # there is only one in a stream
        if response is None or response.get("id") is None:
            return ()
        self._response = response
        return (response,)

    def _next_sequence_number(self) -> int:
        event = sse.parse_event(self._last_event)
        number = None if event is None else event.data.get("sequence_number")
        return number + 1 if isinstance(number, int) else 0


def _is_plain(chunk: bytes) -> bool:
    """Whether it is one event that names no response, does not fail, and does not end a stream.

    One that ends with an object is neither a comment nor `[DONE]`.
    """
    if not chunk.endswith(b"}\n\n") or chunk.startswith(b":") or b"\r" in chunk:
        return False
    is_one = chunk.find(b"\n\n") == len(chunk) - 2
    return is_one and b'"response"' not in chunk and b"error" not in chunk


def _encode_failed(number: int, response: ResponseObject, failure: Mapping[str, str]) -> bytes:
    """Encode `response.failed`; a snapshot that Python cannot encode is cut to its id."""
    event = {"type": "response.failed", "sequence_number": number}
    failed = {"status": "failed", "error": failure}
    try:
        return sse.encode_event({**event, "response": {**response, **failed}})
    except (ValueError, RecursionError):  # an integer of thousands of digits, deep nesting
        short = {"id": response["id"], "object": "response", **failed}
        return sse.encode_event({**event, "response": short})


def _mask_error(event: bytes, parsed: sse.Event | None) -> bytes:
    """Return the event's bytes; an error in it does not name the provider's account."""
    error = None if parsed is None else parsed.error
    if parsed is None or (parsed.is_partial and error is not None):
        return mask_account(event)
    return mask_account_in(event, error) if error else event


def _has_data(event: bytes) -> bool:
    """Whether an event is more than a comment: the status is decided from then on."""
    return sse.event_data(event) not in {None, b"[DONE]"}


def _is_lifecycle(event: bytes) -> bool:
    """Whether nothing of the response's output is in an event; an event of its end has none."""
    parsed = sse.parse_event(event)
    if parsed is None:
        return not _has_data(event)
    return parsed.type in LIFECYCLE | {"error", "response.failed"}


def _error_code(event: sse.Event) -> str | None:
    """Return the code of a terminal event's error, in each of the shapes that are sent."""
    error: Any = event.error
    while isinstance(error, Mapping):
        code = error.get("code")
        if isinstance(code, str):
            return code
        error = error.get("error")
    return None


def _is_terminal(event: sse.Event) -> bool:
    """Terminal by its type, or an error without a type of its own."""
    return event.type in TERMINAL or (event.type == "None" and bool(event.data.get("error")))
