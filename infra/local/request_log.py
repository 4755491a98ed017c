"""The log lines of the latest requests, in memory: for the terminal, and for `antiphon tail`."""

import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from infra.local.http.request_end import RequestEnd
from infra.traffic.log_lines import is_refusal_line, is_request_line

MAX_LINES = 20_000  # a request has two or three

type Reader = Callable[[bytes], None]


class RequestLog:
    """Lines have no line end. A reader gets each line as it comes."""

    def __init__(self, *, prints_raw: bool = False) -> None:
        """`prints_raw`: whether the function's own lines are to be printed too."""
        self._prints_raw = prints_raw
        self._lines: deque[tuple[float, bytes]] = deque(maxlen=MAX_LINES)
        self._readers: list[Reader] = []

    def take(self, line: bytes) -> bool:
        """Add a function's line if it describes a request; return whether nobody else prints it."""
        if is_request_line(line):
            self.add(line)
        elif not is_refusal_line(line):  # which says less than the line of its request
            return False
        return not self._prints_raw

    def add_end(self, end: RequestEnd) -> None:
        self.add(end.to_line())

    def add(self, line: bytes) -> None:
        self._lines.append((time.time(), line))
        for reader in self._readers:
            reader(line)

    def since(self, start: float) -> list[bytes]:
        """Return the lines that were added from then on, in epoch seconds."""
        return [line for added, line in self._lines if added >= start]

    @contextmanager
    def subscribe(self, reader: Reader) -> Iterator[None]:
        self._readers.append(reader)
        try:
            yield
        finally:
            self._readers.remove(reader)
