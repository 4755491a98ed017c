"""Time that passes when a test says so, and many threads that meet in one moment."""

import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

MANY = 200


class Time:
    """A clock in seconds."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.pace = 0.0  # seconds that pass between two looks at it

    def __call__(self) -> float:
        self.now += self.pace
        return self.now

    def passes(self, seconds: float) -> None:
        self.now += seconds


def race[T](work: Callable[[], T], threads: int = MANY) -> list[T]:
    """What each thread gets, all of them let go at once."""
    start = threading.Barrier(threads)

    def run(_: int) -> T:
        start.wait()
        return work()

    with _impatient(), ThreadPoolExecutor(threads) as pool:
        return list(pool.map(run, range(threads)))


@contextmanager
def _impatient() -> Iterator[None]:
    """Threads take turns a thousand times as often, so that they meet where they may."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(before / 1000)
    try:
        yield
    finally:
        sys.setswitchinterval(before)
