"""An HTTP client that does nothing but send bytes and note when which bytes come back."""

import asyncio
import re
import time
from typing import cast

from tests.bench.answer import Answer

LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
HEAD_END = b"\r\n\r\n"
LINE_END = b"\r\n"


class Connection(asyncio.Protocol):
    """One keep-alive connection, with one request at a time."""

    def __init__(self) -> None:
        self.open = False
        self._buffer = bytearray()
        self._done: asyncio.Future[Answer] | None = None

    def ask(self, request: bytes) -> asyncio.Future[Answer]:
        self._pieces: list[tuple[int, bytes]] = []
        self._step = self._head
        self._done = asyncio.get_running_loop().create_future()
        self._sent = time.monotonic_ns()
        self._transport.write(request)
        return self._done

    def close(self) -> None:
        self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self.open = True

    def data_received(self, data: bytes) -> None:
        now = time.monotonic_ns()
        self._buffer += data
        while self._step(now):
            pass

    def connection_lost(self, exc: Exception | None) -> None:
        self.open = False
        if self._done is not None and not self._done.done():
            self._done.set_exception(exc or ConnectionError("Closed before the answer's end."))

    def _head(self, now: int) -> bool:
        if (end := self._buffer.find(HEAD_END)) < 0:
            return False
        head = bytes(self._buffer[:end])
        del self._buffer[: end + len(HEAD_END)]
        self._status = int(head.split(b" ", 2)[1])
        if length := LENGTH.search(head):
            self._left = int(length[1])
            self._step = self._sized
            return bool(self._left) or self._finish(now)
        self._step = self._chunk
        return True

    def _sized(self, now: int) -> bool:
        if not self._buffer:
            return False
        self._pieces.append((now, bytes(self._buffer)))
        self._left -= len(self._buffer)
        self._buffer.clear()
        return self._left > 0 or self._finish(now)

    def _chunk(self, now: int) -> bool:
        if (start := self._buffer.find(LINE_END)) < 0:
            return False
        size = int(self._buffer[:start], 16)
        end = start + len(LINE_END) + size
        if len(self._buffer) < end + len(LINE_END):
            return False
        piece = bytes(self._buffer[start + len(LINE_END) : end])
        del self._buffer[: end + len(LINE_END)]
        if not size:
            return self._finish(now)
        self._pieces.append((now, piece))
        return True

    def _finish(self, now: int) -> bool:
        if self._done is not None and not self._done.done():
            self._done.set_result(Answer(self._sent, self._status, self._pieces, now))
        return False
