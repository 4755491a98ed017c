"""Counts requests and settles reservations: never above a limit, and nothing twice."""

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import cached_property

from cachetools import LRUCache, TTLCache

from antiphon.errors import Unavailable
from antiphon.settings.table import TTL
from antiphon.store.dynamodb import ConditionFailed, Conflict, Item, Table, Update
from antiphon.store.moved_reservations import (
    MAX_HELD,
    MovedReservations,
    build_end,
    has_ends,
)
from antiphon.store.reservations import (
    LOOK_AT,
    MAX_EXPIRED,
    ROW_SECONDS,
    Counts,
    Increment,
    StoredReservation,
    build_count,
    build_expire,
    build_settle,
    counter_names,
    expired_reservations,
)

MAX_ATTEMPTS = 10  # of a conditional write; each failure means that another request was faster
MAX_HELD_AT_START = 2 * MAX_HELD  # the end of a request moves reservations earlier than its start
CACHED_ROWS = 1_000
SECONDS_BETWEEN_CLEAN_UPS = 60.0


class LimitExceeded(Exception):
    """A counter would go above its maximum; `row` is the row as it was then."""

    def __init__(self, row: Item) -> None:
        super().__init__()
        self.row = row


@dataclass(frozen=True, eq=False, repr=False)
class LimitRows:
    """Every method raises Unavailable if the table does not answer."""

    table: Table
    settle_seconds: float  # how long the end of a request may still be recorded
    is_stale: Callable[[str, float], bool]  # whether the window of a counter has ended by then
    clock: Callable[[], float] = time.time  # epoch seconds
    row_seconds: int | None = ROW_SECONDS  # after a request; None: a row never expires
    moves: bool = True  # many reservations of one row to rows of their own
    _clean_rows: TTLCache[str, bool] = field(
        default_factory=lambda: TTLCache(CACHED_ROWS, SECONDS_BETWEEN_CLEAN_UPS)
    )
    _stale: LRUCache[str, list[str]] = field(default_factory=lambda: LRUCache(CACHED_ROWS))
    _crowded: LRUCache[str, bool] = field(default_factory=lambda: LRUCache(CACHED_ROWS))

    @cached_property
    def moved(self) -> MovedReservations:
        return MovedReservations(self.table, self.settle_seconds, self.clock)

    def count(
        self, reservation: StoredReservation, increments: Sequence[Increment], expires_at: float
    ) -> Item:
        """Count a request and return the row; raise LimitExceeded if a counter has no room.

        If a full counter holds expired reservations, they are given back first.
        """
        for _ in range(MAX_ATTEMPTS):
            try:
                return self._count_once(reservation, increments, expires_at)
            except Conflict:  # a transaction changes the same row just now
                continue
            except ConditionFailed as exc:
                row = exc.item or {}
            full = {i.counter for i in increments if row.get(i.counter, 0) + i.amount > i.maximum}
            if full and not self._make_room(row, full):
                raise LimitExceeded(row)
        raise _too_busy()

    def settle(self, reservation: StoredReservation, amounts: Counts, *, is_open: bool) -> None:
        """Count these amounts in place of what is reserved; a second time changes nothing.

        `is_open`: they stay reserved while the response may still be settled, also where the
        reservation has expired.
        """
        expires_at = self.clock() + self.settle_seconds if is_open else None
        cleans_up = self._needs_clean_up(reservation.row)
        is_crowded = self._crowded.get(reservation.row, False)
        held = None if is_crowded else reservation.refund  # None: by a row of its own
        for _ in range(MAX_ATTEMPTS):
            if held is None:
                update = build_end(reservation, amounts, expires_at)
            else:
                update = build_settle(reservation, held, amounts, expires_at)
            try:
                return self._settle_once(update, cleans_up=cleans_up)
            except Conflict:
                continue
            except ConditionFailed as exc:
                row = exc.item or {}
            if self._is_closed(reservation, row, held):
                return None
            held = row.get(reservation.name, {}).get("back")
        raise _too_busy()

    def _count_once(
        self, reservation: StoredReservation, increments: Sequence[Increment], expires_at: float
    ) -> Item:
        # With a reservation, its end cleans the row up.
        cleans_up = not reservation.id and self._needs_clean_up(reservation.row)
        stale = self._stale.pop(reservation.row, ())
        row = self.table.update(
            self._expiring(build_count(reservation, increments, expires_at, stale), expires_at),
            return_all=cleans_up or (self.moves and bool(reservation.id)),
            is_ours=lambda row: reservation.name in row,
        )
        if cleans_up:
            self._remember_stale(reservation.row, row)
        if reservation.id:
            self._tidy(reservation.row, row, MAX_HELD_AT_START)
        return row

    def _expiring(self, update: Update, expires_at: float) -> Update:
        ends = {} if self.row_seconds is None else {TTL: int(expires_at) + self.row_seconds}
        return replace(update, sets={**update.sets, **ends})

    def _make_room(self, row: Item, full: set[str]) -> bool:
        """Give back what holds the counters that are full; return whether there was any."""
        if has_ends(row):
            self.moved.tidy(row)
            return True
        expired = [r for r in expired_reservations(row, self.clock()) if full & r.refund.keys()]
        self._expire(expired)
        return bool(expired) or self.moved.give_back_expired(row)

    def _settle_once(self, update: Update, *, cleans_up: bool) -> None:
        row = self.table.update(update, return_all=cleans_up or self.moves)
        if cleans_up:
            self._clean_up(update.partition, row)
        self._tidy(update.partition, row, MAX_HELD)

    def _is_closed(self, reservation: StoredReservation, row: Item, held: Counts | None) -> bool:
        """Return whether nothing is left to settle; an earlier end that waits is counted first."""
        if reservation.end_name in row:
            self.moved.tidy(row)
            return False
        return reservation.name not in row and (held is None or LOOK_AT not in row)

    def _tidy(self, partition: str, row: Item, most: int) -> None:
        if self.moves and (LOOK_AT in row or len(row) > MAX_HELD):
            self._crowded[partition] = self.moved.tidy_if_due(row, most)

    def _needs_clean_up(self, partition: str) -> bool:
        if partition in self._clean_rows:
            return False
        self._clean_rows[partition] = True
        return True

    def _remember_stale(self, partition: str, row: Item) -> None:
        """The next write removes the counters of windows that have ended."""
        now = self.clock()
        self._stale[partition] = [name for name in counter_names(row) if self.is_stale(name, now)]

    def _clean_up(self, partition: str, row: Item) -> None:
        self._remember_stale(partition, row)
        self._expire(expired_reservations(row, self.clock()))
        with suppress(Unavailable):
            self.moved.give_back_expired(row)

    def _expire(self, reservations: list[StoredReservation]) -> None:
        """Give back expired amounts, unless another request does so at the same time."""
        if reservations:
            expires_at = self.clock() + self.settle_seconds
            with suppress(ConditionFailed, Conflict):
                update = build_expire(reservations[:MAX_EXPIRED], expires_at)
                self.table.update(update, return_all=False)


def _too_busy() -> Unavailable:
    return Unavailable("The gateway's limits are too busy. Try again.")
