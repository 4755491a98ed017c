"""A clock that tests advance, waiting, functions in many threads at once, rounds of races."""

import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

MANY_THREADS = 200
POLL_SECONDS, MAX_POLL_SECONDS = 0.02, 0.2
# `make soak` sets the variable; an environment variable also reaches the processes of a race.
IS_SOAK = bool(os.environ.get("ANTIPHON_SOAK"))
ROUNDS = 20 if IS_SOAK else 3


class ManualClock:
    """A clock in seconds."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.step = 0.0  # seconds that pass between two readings

    def __call__(self) -> float:
        self.now += self.step
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += seconds


def wait_for[T](read: Callable[[], T], is_ready: Callable[[T], bool]) -> T:
    """Reads until the condition holds; returns the value. The test's time limit ends a vain wait."""
    pause = POLL_SECONDS
    while not is_ready(value := read()):
        time.sleep(pause)  # leaves the processor to what is waited for
        pause = min(pause * 1.5, MAX_POLL_SECONDS)
    return value


def run_at_once[T](work: Callable[[], T], threads: int = MANY_THREADS) -> list[T]:
    """Runs the function in each thread, all of them started together; returns the results."""
    start = threading.Barrier(threads)

    def run(_: int) -> T:
        start.wait()
        return work()

    with _frequent_switches(), ThreadPoolExecutor(threads) as pool:
        return list(pool.map(run, range(threads)))


@contextmanager
def _frequent_switches() -> Iterator[None]:
    """Switches threads a thousand times as often, so that races happen where they can."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(before / 1000)
    try:
        yield
    finally:
        sys.setswitchinterval(before)
