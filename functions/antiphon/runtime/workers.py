"""Worker processes, for environments that get several invocations at once (Managed Instances).

https://docs.aws.amazon.com/lambda/latest/dg/lambda-managed-instances-python-runtime.html
"""

import ctypes
import gc
import multiprocessing
import os
import signal
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import connection
from multiprocessing.context import ForkProcess
from typing import NoReturn

from antiphon.runtime.failure import log

LAMBDA_IS_GONE = 3  # the exit status of a worker whose successor would not be served either

type Serve = Callable[[Callable[[], None]], None]


@dataclass(frozen=True)
class Worker:
    """A forked process; it shares one flag with its parent, and nothing else."""

    process: ForkProcess
    has_started: ctypes.c_bool

    @property
    def is_replaced(self) -> bool:
        """Whether another one is started in its place, now that it has ended."""
        return self.has_started.value and self.process.exitcode != LAMBDA_IS_GONE


class Workers:
    """Runs `serve` in so many processes, and starts another one where one died at work.

    `serve` gets a function that it calls once it can serve.
    """

    def __init__(self, count: int, serve: Serve) -> None:
        self._count, self._serve = count, serve
        self._context = multiprocessing.get_context("fork")
        self._running: dict[int, Worker] = {}  # by the file descriptor that tells their end
        self._is_ending = False

    def run(self) -> NoReturn:
        """Exit with 0 after SIGTERM, or with 1 where a worker could not begin to serve."""
        signal.signal(signal.SIGTERM, self._terminate)
        gc.freeze()  # the collector of a worker would copy the memory that all have in common
        for _ in range(self._count):
            self._start()
        code = 0
        while self._running:
            for worker in self._wait():
                code = code or self._follow(worker)
        raise SystemExit(code)

    def _wait(self) -> Iterator[Worker]:
        for ended in connection.wait([*self._running]):
            if isinstance(ended, int):
                worker = self._running.pop(ended)
                worker.process.join()
                yield worker

    def _follow(self, worker: Worker) -> int:
        """Replace a worker that has ended, or end the others; return the exit status."""
        if self._is_ending:
            return 0
        if not worker.is_replaced:
            self._terminate()
            return 1
        log("WARN", f"A worker ended with {worker.process.exitcode}; another one takes its place")
        self._start()
        return 0

    def _start(self) -> None:
        has_started = self._context.RawValue(ctypes.c_bool)
        process = self._context.Process(target=self._work, args=(has_started,))
        with _delay_sigterm():
            if not self._is_ending:
                process.start()
                self._running[process.sentinel] = Worker(process, has_started)

    def _work(self, has_started: ctypes.c_bool) -> None:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)  # until it can serve
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})

        def mark_started() -> None:
            has_started.value = True

        self._serve(mark_started)

    def _terminate(self, *_: object) -> None:
        """Have each worker end, after the response that it streams."""
        self._is_ending = True
        for worker in self._running.values():
            worker.process.terminate()


def redirect_output(path: str) -> None:
    """Write this process's output to a socket of Lambda, which has one for each worker.

    Their lines would be mixed otherwise, as awslambdaric's own workers do it.
    """
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
        with socket.socket(socket.AF_UNIX) as connected:
            connected.connect(path)
            os.dup2(connected.fileno(), stream.fileno())


@contextmanager
def _delay_sigterm() -> Iterator[None]:
    """No SIGTERM between the start of a worker and its registration: it would not get it."""
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
