"""One event on its way to a runtime, and its answer on the way back, piece by piece."""

import asyncio
import json
import time
import uuid
from collections import deque
from collections.abc import AsyncIterator, Callable

MANY_BYTES = 1 << 20  # waiting for a slow caller: the runtime is held back, as AWS would


class Failed(Exception):
    """The function did not answer, or broke off; the message is for the developer alone."""


class Invocation:
    def __init__(self, event: bytes, seconds: float) -> None:
        self.id = str(uuid.uuid4())
        self.event = event
        self.deadline_ms = int((time.time() + seconds) * 1000)
        self.source: asyncio.ReadTransport | None = None  # of the answer, once it has begun
        self.shortcut: Callable[[bytes], bool] = lambda _: False  # takes a chunk, if it can now
        self.pieces = self._come()
        self._pieces: deque[bytes] = deque()
        self._waiting = 0  # bytes
        self._news: asyncio.Future[None] | None = None
        self._abandoned = False
        self._ended = False
        self._failure: str | None = None

    @property
    def ended(self) -> bool:
        return self._ended

    def put(self, piece: bytes) -> None:
        """The runtime wrote a chunk: to whoever waits, without the detour of a task's turn."""
        waits = self._news is not None and not self._pieces
        if self._abandoned or (waits and self.shortcut(piece)):
            return
        self._pieces.append(piece)
        self._waiting += len(piece)
        if self._waiting > MANY_BYTES and self.source:
            self.source.pause_reading()
        self._tell()

    def end(self, failure: str | None = None) -> None:
        """The answer is complete, or will never be; what is said first holds."""
        if not self._ended:
            self._ended, self._failure = True, failure
            self._tell()

    def abandon(self) -> None:
        """Nobody listens any more. The function is not told and runs on, as on AWS."""
        self._abandoned = True
        self._pieces.clear()
        self._go_on()

    async def _come(self) -> AsyncIterator[bytes]:
        """Give each chunk as it comes; raise Failed where the function broke off."""
        while True:
            while self._pieces:
                yield self._next()
            if self._ended:
                break
            self._news = asyncio.get_running_loop().create_future()
            await self._news
            self._news = None
        if self._failure is not None:
            raise Failed(self._failure)

    def _next(self) -> bytes:
        piece = self._pieces.popleft()
        if self._waiting > MANY_BYTES >= self._waiting - len(piece):
            self._go_on()
        self._waiting -= len(piece)
        return piece

    def _go_on(self) -> None:
        if self.source:
            self.source.resume_reading()

    def _tell(self) -> None:
        if self._news is not None and not self._news.done():
            self._news.set_result(None)


def told(document: bytes) -> str:
    """What a runtime's error document says, in one line."""
    try:
        error = json.loads(document)
        return f"{error['errorType']}: {error['errorMessage']}"
    except (ValueError, KeyError, TypeError):
        return document.decode("utf-8", "replace") or "The runtime gave no reason."
