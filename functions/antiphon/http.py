"""HTTP requests and replies as the gateway sees them, independent of Lambda's event formats."""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import Any, Protocol, Self, runtime_checkable

MAX_CALL_SECONDS = 900.0  # the longest invocation that Lambda allows
MAX_LINK_ATTEMPTS = 10  # the last ones, so that a row stays small

type Send = Callable[[bytes], None]


def may_pay_again(method: str, path: str) -> bool:
    """Return whether a repetition of the request may make, or cost, something again.

    Only a POST may (RFC 9110, 9.2.2), and a cancel ends the same work.
    """
    return method == "POST" and not path.endswith("/cancel")


@dataclass(frozen=True)
class Attempt:
    """One call of one target."""

    target: str
    status: int | str | None  # HTTP status, or the code of the error
    ms: float  # until the first event or the complete body
    reason: str | None = None  # why no connection was made

    def to_log(self) -> dict[str, object]:
        fields: dict[str, object] = {"target": self.target, "status": self.status, "ms": self.ms}
        return fields if self.reason is None else fields | {"reason": self.reason}


@dataclass
class RequestMetrics:
    """What one request did: its calls of targets, in order, and what its log lines name."""

    attempts: list[Attempt] = field(default_factory=list)
    is_done: bool = False  # whether a provider has done what a repetition would do again
    started_ns: int = field(default_factory=time.time_ns)  # since the epoch
    # Of the log lines: ids, names and numbers, never content. None is left out.
    fields: dict[str, object] = field(default_factory=dict)

    @property
    def upstream_ms(self) -> float:
        """Milliseconds spent waiting for providers."""
        return sum(attempt.ms for attempt in self.attempts)

    @property
    def has_failed_over(self) -> bool:
        """Whether the last attempt went to another target than the one before."""
        return len(self.attempts) > 1 and self.attempts[-1].target != self.attempts[-2].target

    def add(self, attempt: Attempt) -> None:
        self.attempts.append(attempt)

    def to_log(self) -> list[dict[str, object]]:
        return [attempt.to_log() for attempt in self.attempts]

    def to_link(self) -> dict[str, Any]:
        """Return what a response's link has of its request; one attempt is that of its target."""
        waited_ms = (time.time_ns() - self.started_ns) // 1_000_000
        attempts = self.to_log()[-MAX_LINK_ATTEMPTS:] if len(self.attempts) > 1 else None
        return {"waited_ms": max(waited_ms, 0), "attempts": attempts}


@dataclass(frozen=True)
class Request:
    """One request of a caller, from either door."""

    id: str
    method: str
    query: str = ""  # still percent-encoded
    headers: Mapping[str, str] = field(default_factory=dict)  # names in lower case
    body: bytes = b""
    ends_at: float = float("inf")  # time.monotonic() at which Lambda ends the invocation
    # time.monotonic() at which the endpoint gives up if the answer has not begun
    answers_by: float = float("inf")
    metrics: RequestMetrics = field(default_factory=RequestMetrics, compare=False)

    @property
    def seconds_left(self) -> float:
        return self.ends_at - time.monotonic()

    def ends_by(self, now: float) -> float:
        """Return when the request has ended in any case, on the clock that shows `now`."""
        return now + min(max(self.seconds_left, 0), MAX_CALL_SECONDS)


@runtime_checkable
class Body(Protocol):
    """A streamed response body: iterate it once, and close it in any case."""

    def __iter__(self) -> Iterator[bytes]: ...

    def attach(self, send: Send) -> None:
        """Give the body a function that sends bytes between its chunks."""
        ...

    def interrupt(self) -> None:
        """Have the iteration end early and in order; called by a signal's handler."""
        ...

    def close(self) -> None:
        """Release what the body uses; idempotent."""
        ...


@dataclass(frozen=True)
class FiniteBody:
    """A body whose chunks are already in memory."""

    chunks: Iterable[bytes]

    def __iter__(self) -> Iterator[bytes]:
        return iter(self.chunks)

    def attach(self, send: Send) -> None:
        """Send nothing: this body is never silent."""

    def interrupt(self) -> None:
        """Do nothing: this body waits for nothing."""

    def close(self) -> None:
        """Release nothing."""


class OnCloseBody:
    """Runs a callback once, when the body inside is exhausted or closed.

    It runs before the end of the stream is sent, so the caller's next request finds its results.
    """

    def __init__(self, body: Body, on_close: Callable[[], None]) -> None:
        self._body = body
        self._on_close = on_close
        self._is_closed = False

    def __iter__(self) -> Iterator[bytes]:
        # Not a generator around the body: one frame less for each event.
        return chain(self._body, self._close_at_end())

    def attach(self, send: Send) -> None:
        self._body.attach(send)

    def interrupt(self) -> None:
        self._body.interrupt()

    def close(self) -> None:
        if self._is_closed:
            return
        self._is_closed = True
        try:
            self._body.close()
        finally:
            self._on_close()

    def _close_at_end(self) -> Iterator[bytes]:
        self.close()
        yield from ()


@dataclass(frozen=True)
class Reply:
    """One response to a caller: `bytes` when it is complete, a `Body` while it streams."""

    status: int
    headers: Mapping[str, str]
    body: bytes | Body

    def with_headers(self, headers: Mapping[str, str]) -> Self:
        """Add headers, or replace those of the same name."""
        return replace(self, headers={**self.headers, **headers}) if headers else self
