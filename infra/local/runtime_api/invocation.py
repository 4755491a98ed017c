"""One invocation of a function, and the slot in which a runtime processes one at a time."""

import asyncio
import json
import time
import uuid
from collections import deque
from collections.abc import AsyncIterator, Callable

MAX_BUFFERED_BYTES = 1 << 20  # above it reading from the runtime is paused, as AWS does

type Deliver = Callable[["Invocation"], None]


class Failed(Exception):
    """The function did not answer, or its answer is incomplete; callers do not see the message."""


class InitFailed(Exception):
    """The runtime's process did not reach its first request for an event."""


class Invocation:
    """An event and its response, which arrives chunk by chunk."""

    def __init__(self, event: bytes, seconds: float) -> None:
        self.id = str(uuid.uuid4())
        self.event = event
        self.deadline_ms = int((time.time() + seconds) * 1000)
        self.transport: asyncio.ReadTransport | None = None  # of the response, once it started
        # Writes a chunk to the caller without a task switch; returns False if it cannot now.
        self.write_directly: Callable[[bytes], bool] = lambda _: False
        self.chunks = self._read_chunks()
        self._buffer: deque[bytes] = deque()
        self._buffered_bytes = 0
        self._waiter: asyncio.Future[None] | None = None
        self._is_abandoned = False
        self._has_ended = False
        self._failure: str | None = None

    @property
    def has_ended(self) -> bool:
        return self._has_ended

    def put(self, chunk: bytes) -> None:
        """Add a chunk of the response; write it directly where the reader waits for it."""
        is_reader_waiting = self._waiter is not None and not self._buffer
        if self._is_abandoned or (is_reader_waiting and self.write_directly(chunk)):
            return
        self._buffer.append(chunk)
        self._buffered_bytes += len(chunk)
        if self._buffered_bytes > MAX_BUFFERED_BYTES and self.transport:
            self.transport.pause_reading()
        self._wake_reader()

    def end(self, failure: str | None = None) -> None:
        """End the response, with the reason of its failure; only the first call counts."""
        if not self._has_ended:
            self._has_ended, self._failure = True, failure
            self._wake_reader()

    def abandon(self) -> None:
        """Discard the rest of the response; the function continues unaware, as on AWS."""
        self._is_abandoned = True
        self._buffer.clear()
        self._resume_reading()

    async def _read_chunks(self) -> AsyncIterator[bytes]:
        """Yield each chunk as it arrives; raise Failed at the end of a failed response."""
        while True:
            while self._buffer:
                yield self._next_chunk()
            if self._has_ended:
                break
            self._waiter = asyncio.get_running_loop().create_future()
            await self._waiter
            self._waiter = None
        if self._failure is not None:
            raise Failed(self._failure)

    def _next_chunk(self) -> bytes:
        chunk = self._buffer.popleft()
        if self._buffered_bytes > MAX_BUFFERED_BYTES >= self._buffered_bytes - len(chunk):
            self._resume_reading()
        self._buffered_bytes -= len(chunk)
        return chunk

    def _resume_reading(self) -> None:
        if self.transport:
            self.transport.resume_reading()

    def _wake_reader(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)


def parse_error(document: bytes) -> str:
    """The one-line form of a runtime's error document."""
    try:
        error = json.loads(document)
        return f"{error['errorType']}: {error['errorMessage']}"
    except (ValueError, KeyError, TypeError):
        return document.decode("utf-8", "replace") or "The runtime gave no reason."


class InvocationSlot:
    """Assigns invocations to one runtime, one at a time, and records whether it has ended."""

    def __init__(self) -> None:
        self.ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._current: Invocation | None = None  # delivered to the runtime
        self._next: Invocation | None = None  # not delivered yet
        self._deliver: Deliver | None = None  # set while the runtime waits for an event
        self._on_free: Callable[[], None] = lambda: None
        self._end_reason: str | None = None
        self._connections = 0
        self._all_disconnected = asyncio.Event()

    @property
    def has_ended(self) -> bool:
        return self._end_reason is not None

    def assign(self, invocation: Invocation, on_free: Callable[[], None]) -> None:
        """Have the runtime process it; `on_free` is called when it can take the next one."""
        self._next, self._on_free = invocation, on_free
        if self._end_reason is not None:
            self.end(self._end_reason)
        self._deliver_next()

    def request_event(self, deliver: Deliver) -> bool:
        """The runtime waits for an event; False if its current invocation has not ended."""
        if self.has_ended:
            return True  # it gets no event any more
        if self._current and not self._current.has_ended:
            return False
        if self._current:
            self._free()
        self._deliver = deliver
        if not self.ready.done():
            self.ready.set_result(None)
        self._deliver_next()
        return True

    def add_connection(self) -> None:
        self._connections += 1
        self._all_disconnected.clear()

    def remove_connection(self, deliver: Deliver) -> None:
        """Forget a request for an event over this connection; it may come over another."""
        self._connections -= 1
        if not self._connections:
            self._all_disconnected.set()
        if self._deliver == deliver:
            self._deliver = None

    async def wait_until_disconnected(self) -> None:
        """Wait until all bytes are read that the runtime wrote before it ended."""
        if self._connections:
            await self._all_disconnected.wait()

    def find_unanswered(self, id: str) -> Invocation | None:
        current = self._current
        return current if current and current.id == id and not current.has_ended else None

    def end(self, reason: str) -> None:
        """The runtime has ended: fail its start and its invocations with the reason."""
        self._end_reason = self._end_reason or reason
        if not self.ready.done():
            self.ready.set_exception(InitFailed(reason))
        for invocation in (self._current, self._next):
            if invocation:
                invocation.end(reason)
        self._next = self._deliver = None
        self._free()

    def _deliver_next(self) -> None:
        if self._next and self._deliver:
            invocation, deliver = self._next, self._deliver
            self._current, self._next, self._deliver = invocation, None, None
            deliver(invocation)

    def _free(self) -> None:
        on_free, self._on_free, self._current = self._on_free, lambda: None, None
        on_free()
