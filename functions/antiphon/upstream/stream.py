"""A provider's event stream as it passes: whole events, and always an end that says so."""

import time
from collections.abc import Callable, Generator, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from antiphon import sse
from antiphon.errors import GatewayError, UpstreamFailed
from antiphon.relay.transport.errors import TransportError
from antiphon.upstream.faults import translate_error
from antiphon.upstream.timers import ReadTimer, Send

TERMINAL = {"response.completed", "response.failed", "response.incomplete", "error"}
IGNORED_TAILS = {b"", b"data: [DONE]"}
LINGER_SECONDS = 5.0  # seconds a provider may keep a stream open behind its terminal event

type ResponseObject = Mapping[str, Any]


@dataclass(frozen=True)
class EventBatch:
    """Whole events as they came, and the newest response object in them, if there is one."""

    data: bytes
    response: ResponseObject | None = None


class UpstreamStream:
    """Iterate once. What the provider does not end, ends with the terminal pair.

    The pair (an `error` event in both documented shapes, then `response.failed`) is what every
    client in the field takes for a failure; a clean end without it passes for success in most.
    """

    def __init__(
        self, chunks: Iterator[bytes], vigil: ReadTimer, close: Callable[[], None]
    ) -> None:
        self._chunks = chunks
        self._vigil = vigil
        self._close = close
        self._splitter = sse.EventSplitter()
        self._last_event = b""
        self._response: ResponseObject | None = None
        self._begun = False
        self._pieces: Generator[EventBatch] = self._read()
        self._first: EventBatch | None = None
        self.ended: str | None = None  # the terminal event's type, once it has passed

    def open(self, patience: float) -> None:
        """Wait for the first event; raise where none comes, for the status is still open."""
        self._first = next(self._pieces)
        if self.ended is None:
            self._vigil.expect(patience)

    def attach(self, send: Send) -> None:
        """From now on comments are sent this way while the provider is silent."""
        if self.ended is None:
            self._vigil.keep_alive_by(send)

    def __iter__(self) -> Iterator[EventBatch]:
        if self._first is not None:
            yield self._first
        yield from self._pieces

    def close(self) -> None:
        self._pieces.close()
        self._close()

    def ending(self, fault: GatewayError) -> bytes:
        """The terminal pair, numbered on from the provider's last event."""
        number = self._next_number()
        error = fault.error()
        flat = {**error, "type": "error", "sequence_number": number}
        events = sse.encode_event({**flat, "error": error})
        if self._response is None:
            return events
        failure = {"code": "server_error", "message": str(fault)}
        response = {**self._response, "status": "failed", "error": failure}
        return events + sse.encode_event(
            {"type": "response.failed", "sequence_number": number + 1, "response": response}
        )

    def _read(self) -> Generator[EventBatch]:
        try:
            yield from self._whole_events()
        except GatewayError as fault:
            if self.ended is not None:  # all that was promised has been passed on
                return
            if not self._begun:
                raise
            yield EventBatch(self.ending(fault))

    def _whole_events(self) -> Iterator[EventBatch]:
        held: list[bytes] = []  # comments ahead of the first event leave the status open
        for events in self._heard():
            held += events
            if self._begun or any(map(_has_data, held)):
                if held:
                    yield self._piece(held)
                held = []
        if self.ended is None:
            raise UpstreamFailed("The provider's stream ended before the response did.")
        if self._splitter.tail and self._splitter.tail.strip() in IGNORED_TAILS:
            yield EventBatch(self._splitter.tail)

    def _heard(self) -> Iterator[list[bytes]]:
        """The events each chunk completes, with every failure told as ours."""
        try:
            for chunk in self._chunks:
                if self._begun:
                    self._vigil.heard = time.monotonic()
                yield self._splitter.feed(chunk)
        except TransportError as exc:
            raise self._vigil.fault or translate_error(exc) from exc
        except sse.EventTooLarge as exc:
            raise UpstreamFailed(str(exc)) from exc
        if self._vigil.fault is not None:  # a body without a length ends cleanly when it is cut
            raise self._vigil.fault

    def _piece(self, events: list[bytes]) -> EventBatch:
        self._begun = True
        self._vigil.said = time.monotonic()
        news = None
        passed = []
        for event in events:
            if b'"response"' in event or b"error" in event:  # all others are deltas and the like
                news = self._note(sse.parse_event(event)) or news
            if self.ended is None and b"[DONE]" in event and sse.event_data(event) == b"[DONE]":
                continue  # clients stop reading here, and would not see how it really ends
            if not event.startswith(b":"):
                self._last_event = event
            passed.append(event)
        return EventBatch(passed[0] if len(passed) == 1 else b"".join(passed), news)

    def _note(self, event: sse.Event | None) -> ResponseObject | None:
        if event is None:
            return None
        if _is_terminal(event):
            self.ended = event.type if event.type in TERMINAL else "error"
            self._vigil.expect_end(LINGER_SECONDS)
        if event.response is not None and event.response.get("id"):
            self._response = event.response
            return event.response
        return None

    def _next_number(self) -> int:
        event = sse.parse_event(self._last_event)
        number = None if event is None else event.data.get("sequence_number")
        return number + 1 if isinstance(number, int) else 0


def _has_data(event: bytes) -> bool:
    """Whether it is more than a comment: from then on the status is decided."""
    return sse.event_data(event) not in {None, b"[DONE]"}


def _is_terminal(event: sse.Event) -> bool:
    """Terminal by its type, or an error that is named by nothing but its content."""
    return event.type in TERMINAL or (event.type == "None" and bool(event.data.get("error")))
