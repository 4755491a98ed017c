"""Rows that count the usage of keys and tenants: never above a limit, and nothing twice.

A row has one attribute for each counter, and one attribute `held_<id>` for each reservation:
`until`, the epoch second at which it expires, and `back`, the amounts that are then given back.
An expired reservation is replaced by one without amounts, so usage that arrives late is counted,
and counted once. DynamoDB takes 1,000 kB of writes a second for one row; a reservation has about
100 bytes. See docs/decisions/0008-one-row-for-what-counts.md.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from cachetools import LRUCache, TTLCache

from antiphon.errors import Unavailable
from antiphon.settings.table import PARTITION_KEY, SORT_KEY, TTL
from antiphon.store.dynamodb import ConditionFailed, Conflict, Item, Table, Update

LIMITS_SORT = "LIMITS"
RESERVATION_PREFIX = "held_"
NOT_COUNTERS = {PARTITION_KEY, SORT_KEY, TTL}
ROW_SECONDS = 62 * 86_400  # after so long without a request every window in a row has ended
MAX_ATTEMPTS = 10  # of a conditional write; each failure means that another request was faster
MAX_EXPIRED = 20  # reservations in one write: an expression has at most 4 kB
CACHED_ROWS = 1_000
SECONDS_BETWEEN_FULL_READS = 60.0  # reading a complete row costs more the more it holds

type Counts = Mapping[str, int]  # amounts by the name of a counter


class StoredReservation(NamedTuple):
    """One reservation in a row.

    A request that changes no counter when it ends has no reservation: its `id` is empty.
    """

    row: str  # the partition key
    id: str
    refund: Counts  # what is given back when the reservation expires

    @property
    def name(self) -> str:
        """The attribute of the row."""
        return RESERVATION_PREFIX + self.id


class Increment(NamedTuple):
    """What a request adds to one counter, and the maximum of that counter."""

    counter: str
    amount: int
    maximum: int


class LimitExceeded(Exception):
    """A counter would go above its maximum; `row` is the row as it was then."""

    def __init__(self, row: Item) -> None:
        super().__init__()
        self.row = row


@dataclass(frozen=True)
class LimitRows:
    """Counts requests and settles reservations; raises Unavailable if the table does not answer."""

    table: Table
    settle_seconds: float  # how long the end of a request may still be recorded
    is_stale: Callable[[str, float], bool]  # whether the window of a counter has ended by then
    clock: Callable[[], float] = time.time  # epoch seconds
    row_seconds: int | None = ROW_SECONDS  # after a request; None: a row never expires
    _read_rows: TTLCache[str, bool] = field(
        default_factory=lambda: TTLCache(CACHED_ROWS, SECONDS_BETWEEN_FULL_READS)
    )
    _stale: LRUCache[str, list[str]] = field(default_factory=lambda: LRUCache(CACHED_ROWS))

    def count(
        self, reservation: StoredReservation, increments: Sequence[Increment], expires_at: float
    ) -> Item:
        """Count a request and return the row; raise LimitExceeded if a counter has no room.

        If a full counter holds expired reservations, they are given back first.
        """
        for _ in range(MAX_ATTEMPTS):
            try:
                return self._count_once(reservation, increments, expires_at)
            except Conflict:  # a transaction counts into the same row just now
                continue
            except ConditionFailed as exc:
                row = exc.item or {}
            full = {i.counter for i in increments if row.get(i.counter, 0) + i.amount > i.maximum}
            expired = [r for r in expired_reservations(row, self.clock()) if full & r.refund.keys()]
            if full and not expired:
                raise LimitExceeded(row)
            self._expire(expired)
        raise _too_busy()

    def settle(self, reservation: StoredReservation, amounts: Counts, *, is_open: bool) -> None:
        """Count these amounts in place of what is reserved; a second time changes nothing.

        `is_open`: they stay reserved while the response may still be settled, also where the
        reservation has expired.
        """
        refund, reads_row = reservation.refund, self._needs_full_read(reservation.row)
        expires_at = self.clock() + self.settle_seconds if is_open else None
        for _ in range(MAX_ATTEMPTS):
            try:
                update = build_settle(reservation, refund, amounts, expires_at)
                row = self.table.update(update, return_all=reads_row)
            except ConditionFailed as exc:
                stored = (exc.item or {}).get(reservation.name)
            else:
                return self._clean_up(reservation.row, row) if reads_row else None
            if stored is None:  # closed
                return None
            refund = stored["back"]
        raise _too_busy()

    def _count_once(
        self, reservation: StoredReservation, increments: Sequence[Increment], expires_at: float
    ) -> Item:
        # With a reservation, `close` reads the complete row.
        reads_row = not reservation.id and self._needs_full_read(reservation.row)
        stale = self._stale.pop(reservation.row, ())
        row = self.table.update(
            self._expiring(build_count(reservation, increments, expires_at, stale), expires_at),
            return_all=reads_row,
            is_ours=lambda row: reservation.name in row,
        )
        if reads_row:
            self._remember_stale(reservation.row, row)
        return row

    def _expiring(self, update: Update, expires_at: float) -> Update:
        ends = {} if self.row_seconds is None else {TTL: int(expires_at) + self.row_seconds}
        return replace(update, sets={**update.sets, **ends})

    def _needs_full_read(self, partition: str) -> bool:
        if partition in self._read_rows:
            return False
        self._read_rows[partition] = True
        return True

    def _remember_stale(self, partition: str, row: Item) -> None:
        """The next write removes the counters of windows that have ended."""
        now = self.clock()
        self._stale[partition] = [name for name in counter_names(row) if self.is_stale(name, now)]

    def _clean_up(self, partition: str, row: Item) -> None:
        self._remember_stale(partition, row)
        self._expire(expired_reservations(row, self.clock()))

    def _expire(self, reservations: list[StoredReservation]) -> None:
        """Give back expired amounts, unless another request does so at the same time."""
        if reservations:
            expires_at = self.clock() + self.settle_seconds
            with suppress(ConditionFailed):
                update = build_expire(reservations[:MAX_EXPIRED], expires_at)
                self.table.update(update, return_all=False)


def limits_partition(tenant: str, key_id: str | None = None) -> str:
    """Return the partition of a tenant's row, or of a row for one key."""
    return f"T#{tenant}#L" if key_id is None else f"T#{tenant}#L#{key_id}"


def counter_names(row: Item) -> Iterator[str]:
    return (
        name for name in row if name not in NOT_COUNTERS and not name.startswith(RESERVATION_PREFIX)
    )


def expired_reservations(row: Item, now: float) -> list[StoredReservation]:
    return [
        StoredReservation(row[PARTITION_KEY], name.removeprefix(RESERVATION_PREFIX), value["back"])
        for name, value in row.items()
        if name.startswith(RESERVATION_PREFIX) and value["until"] <= now
    ]


def build_count(
    reservation: StoredReservation,
    increments: Sequence[Increment],
    expires_at: float,
    stale: Iterable[str],
) -> Update:
    """Add all increments if no counter goes above its maximum; remove the `stale` counters."""
    stored = {reservation.name: _value(expires_at, reservation.refund)} if reservation.id else {}
    is_new = [f"attribute_not_exists(#{name})" for name in stored]
    has_room = [
        f"(attribute_not_exists(#{i.counter}) OR #{i.counter} <= :most_{i.counter})"
        for i in increments
    ]
    return Update(
        partition=reservation.row,
        sort=LIMITS_SORT,
        sets=stored,
        adds={i.counter: i.amount for i in increments},
        removes=[*stale],
        only_if=" AND ".join([*is_new, *has_room]),
        values={f"most_{i.counter}": i.maximum - i.amount for i in increments},
    )


def build_settle(
    reservation: StoredReservation, refund: Counts, amounts: Counts, expires_at: float | None
) -> Update:
    """Replace what a reservation holds, still `refund`, by `amounts`; remove it without an end."""
    name = reservation.name
    return Update(
        partition=reservation.row,
        sort=LIMITS_SORT,
        sets={} if expires_at is None else {name: _value(expires_at, amounts)},
        adds=_difference(amounts, refund),
        removes=[name] if expires_at is None else [],
        only_if=f"#{name}.#back = :back",
        values={"back": refund},
    )


def build_expire(reservations: Sequence[StoredReservation], expires_at: float) -> Update:
    """Give back what the reservations hold; remove those that hold nothing already."""
    return Update(
        partition=reservations[0].row,
        sort=LIMITS_SORT,
        sets={r.name: _value(expires_at, {}) for r in reservations if r.refund},
        adds=_difference({}, *(r.refund for r in reservations)),
        removes=[r.name for r in reservations if not r.refund],
        only_if=" AND ".join(f"#{r.name}.#back = :{r.id}" for r in reservations),
        values={r.id: r.refund for r in reservations},
    )


def build_recount(
    partition: str,
    row: Item,
    counts: Counts,
    ended: Iterable[str],
    begun: tuple[StoredReservation, float] | None = None,
) -> Update:
    """Add to counters and, in the same write, end reservations by id and begin one.

    What the ended ones hold is given back. `begun` has the second until which that one holds.
    `row` is the row as it was read: nothing is written where one of these has changed since.
    """
    new, until = begun or (StoredReservation(partition, "", {}), 0)
    names = {id: RESERVATION_PREFIX + id for id in {*ended, new.id} if id}
    held = {id: row[name]["back"] for id, name in names.items() if name in row}
    sets = {new.name: _value(until, new.refund)} if new.id else {}
    conditions = [
        f"#{name}.#back = :{id}" if id in held else f"attribute_not_exists(#{name})"
        for id, name in names.items()
    ]
    return Update(
        partition=partition,
        sort=LIMITS_SORT,
        sets=sets,
        adds=_difference(counts, *held.values(), {name: -n for name, n in new.refund.items()}),
        removes=[names[id] for id in held if id != new.id],
        only_if=" AND ".join(conditions) or None,
        values=held,
    )


def _value(expires_at: float, refund: Counts) -> dict[str, Any]:
    return {"until": int(expires_at), "back": dict(refund)}


def _difference(amounts: Counts, *subtracted: Counts) -> Counts:
    counts = Counter(amounts)
    for each in subtracted:
        counts.subtract(each)
    return {counter: amount for counter, amount in counts.items() if amount}


def _too_busy() -> Unavailable:
    return Unavailable("The gateway's limits are too busy. Try again.")
