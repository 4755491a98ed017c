"""Rows that count what a key or a tenant uses: nothing is counted above a limit, nothing twice."""

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

from cachetools import LRUCache, TTLCache

from antiphon.errors import Unavailable
from antiphon.store.reservation import (
    Counts,
    Reservation,
    closing,
    counters,
    counting,
    expired,
    keeping,
    sweeping,
)
from antiphon.store.table import ConditionFailed, Table
from antiphon.store.values import Item

ROUNDS = 10  # each that fails tells of a row that somebody else has changed
MOST_SWEPT = 20  # reservations in one write: an expression has at most 4 kB
ROWS, BETWEEN_LOOKS = 1_000, 60.0  # seconds between two looks at a row as a whole


class Exhausted(Exception):
    """A counter would go above what it may come to; `row` is as it was then."""

    def __init__(self, row: Item) -> None:
        super().__init__()
        self.row = row


@dataclass(frozen=True)
class Reserves:
    """Raise Unavailable where the table does not answer."""

    table: Table
    patience: float  # seconds for which it may still be told how a request ended
    is_stale: Callable[[str, float], bool]  # whether a counter's time is over by then
    clock: Callable[[], float] = time.time  # epoch seconds
    _seen: TTLCache[str, bool] = field(default_factory=lambda: TTLCache(ROWS, BETWEEN_LOOKS))
    _stale: LRUCache[str, list[str]] = field(default_factory=lambda: LRUCache(ROWS))

    def count(self, made: Reservation, most: Counts, until: float) -> Item:
        """Count a request, and give its counters then; raise Exhausted where one has no room."""
        for _ in range(ROUNDS):
            try:
                return self._counted(made, most, until)
            except ConditionFailed as exc:
                row = exc.item or {}
            if made.name in row:  # by this very write, whose answer got lost
                return row
            full = made.exceeding(row, most)
            lost = [held for held in expired(row, self.clock()) if full & held.back.keys()]
            if full and not lost:
                raise Exhausted(row)
            self._sweep(lost)
        raise _busy()

    def close(self, made: Reservation, instead: Counts) -> None:
        """Give back what is held and count something `instead`, unless that has been done."""
        back, whole = made.back, self._is_due(made.row)
        for _ in range(ROUNDS):
            try:
                row = self.table.update(closing(made, back, instead), whole=whole)
            except ConditionFailed as exc:
                held = (exc.item or {}).get(made.name)
            else:
                return self._tidy(made.row, row) if whole else None
            if held is None:
                return None
            back = held["back"]
        raise _busy()

    def keep(self, made: Reservation, back: Counts) -> None:
        """Give back all but this part, and hold on to that for as long as it may be told of."""
        with suppress(ConditionFailed):  # closed, or lost: it will be taken all the same
            self.table.update(keeping(made, back, self.clock() + self.patience), whole=False)

    def _counted(self, made: Reservation, most: Counts, until: float) -> Item:
        whole = not made.id and self._is_due(made.row)  # else there is a look at its end
        update = counting(made, most, until, self._stale.pop(made.row, ()))
        row = self.table.update(update, whole=whole)
        if whole:
            self._remember(made.row, row)
        return row

    def _is_due(self, partition: str) -> bool:
        """Whether to look at a row as a whole, which takes longer the more is held in it."""
        if partition in self._seen:
            return False
        self._seen[partition] = True
        return True

    def _remember(self, partition: str, row: Item) -> None:
        """Have the next write drop the counters of times gone by."""
        now = self.clock()
        self._stale[partition] = [name for name in counters(row) if self.is_stale(name, now)]

    def _tidy(self, partition: str, row: Item) -> None:
        self._remember(partition, row)
        self._sweep(expired(row, self.clock()))

    def _sweep(self, lost: list[Reservation]) -> None:
        """Give back what nobody has told of in time; others may be at it as well."""
        if lost:
            with suppress(ConditionFailed):
                update = sweeping(lost[:MOST_SWEPT], self.clock() + self.patience)
                self.table.update(update, whole=False)


def _busy() -> Unavailable:
    return Unavailable("The gateway's limits are too busy. Try again.")
