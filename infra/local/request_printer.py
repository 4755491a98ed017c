"""Prints each request of a local gateway: as a line for people, or as JSON for programs."""

import asyncio
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import AbstractContextManager as Context
from contextlib import contextmanager, nullcontext
from typing import Literal

from rich.console import Console

from antiphon.pricing import load_price_list
from antiphon.settings.config import Config
from infra.local.request_log import RequestLog
from infra.traffic.assembler import RequestAssembler
from infra.traffic.cost import RequestCosts
from infra.traffic.printing import Print, line_printer, print_json_line

PAUSE_SECONDS = 0.1  # for which lines are collected, so that printing delays no reply

type Format = Literal["lines", "json", "none"]


def print_requests(log: RequestLog, format: Format, config: Config) -> Context[None]:
    """Print each request of the log until the block ends."""
    if format == "none":
        return nullcontext()
    write = print_json_line if format == "json" else line_printer(Console(stderr=True))
    return _printing(log, RequestPrinter(RequestCosts(config), write))


class RequestPrinter:
    """Collects lines, and prints the requests that they complete a moment later."""

    def __init__(self, costs: RequestCosts, write: Print) -> None:
        self._assembler = RequestAssembler(needs_reply=True)
        self._costs = costs
        self._write = write
        self._waiting: deque[bytes] = deque()

    def collect(self, line: bytes) -> None:
        if not self._waiting:
            asyncio.get_running_loop().call_later(PAUSE_SECONDS, self._print_next)
        self._waiting.append(line)

    def flush(self) -> None:
        while self._waiting:
            self._print_first()

    def _print_next(self) -> None:
        """Print one, which takes a millisecond, and the others after what has arrived meanwhile."""
        if self._waiting:
            self._print_first()
        if self._waiting:
            asyncio.get_running_loop().call_soon(self._print_next)

    def _print_first(self) -> None:
        record = self._assembler.add(self._waiting.popleft())
        try:
            if record is not None:
                self._write(self._costs.add_to(record))
        except BrokenPipeError:  # nobody reads them any more
            self._write = lambda _: None


@contextmanager
def _printing(log: RequestLog, printer: RequestPrinter) -> Iterator[None]:
    # In a thread: the first price would hold up replies for a tenth of a second. The process waits
    # for it: Python ends a daemon thread by force, which aborts the process in compiled code.
    threading.Thread(target=load_price_list).start()
    with log.subscribe(printer.collect):
        try:
            yield
        finally:
            printer.flush()
