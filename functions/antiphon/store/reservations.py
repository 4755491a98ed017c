"""Rows that count what a key or a tenant uses, as they are written: each write for all that agrees.

Attributes are counters, and one `held_…` for each request on its way: until when it counts, and
what comes `back` by itself where nobody tells how it ended. Such a reservation is then replaced by
one that holds nothing, so that what is told late is still taken, and taken once.
DynamoDB takes a thousand writes of 1 kB a second for a row; a reservation has about 100 bytes.


Rows that count what a key or a tenant uses: nothing is counted above a limit, nothing twice.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from cachetools import LRUCache, TTLCache

from antiphon.errors import Unavailable
from antiphon.settings.table import PARTITION_KEY, SORT_KEY, TTL
from antiphon.store.dynamodb import ConditionFailed, Item, Table, Update

LIMITS_SORT = "LIMITS"
HELD_PREFIX = "held_"
ROW_SECONDS = 62 * 86_400  # seconds without a request, after which nothing in a row counts any more
NOT_COUNTERS = {PARTITION_KEY, SORT_KEY, TTL}

type Counts = Mapping[str, int]  # by counter


@dataclass(frozen=True)
class HeldAmounts:
    """What a request is counted with in a row; without an id it has no end to be told of."""

    row: str  # the partition key
    id: str
    counted: Counts
    back: Counts  # the part of it that comes back by itself

    @property
    def name(self) -> str:
        return HELD_PREFIX + self.id

    def exceeding(self, row: Item, most: Counts) -> set[str]:
        """The counters that have no room for it."""
        return {c for c, n in self.counted.items() if row.get(c, 0) + n > most[c]}


def limits_partition(tenant: str, key_id: str | None = None) -> str:
    """The partition of a tenant's row, or of one for a key alone."""
    return f"T#{tenant}#L" if key_id is None else f"T#{tenant}#L#{key_id}"


def counter_names(row: Item) -> Iterator[str]:
    return (name for name in row if name not in NOT_COUNTERS and not name.startswith(HELD_PREFIX))


def expired_holds(row: Item, now: float) -> list[HeldAmounts]:
    """Those of which nobody has told in time."""
    held = ((name, value) for name, value in row.items() if name.startswith(HELD_PREFIX))
    return [
        HeldAmounts(row[PARTITION_KEY], name.removeprefix(HELD_PREFIX), {}, value["back"])
        for name, value in held
        if value["until"] <= now
    ]


def count_update(made: HeldAmounts, most: Counts, until: float, drop: Iterable[str]) -> Update:
    """Count it where no counter goes above `most`; `drop` are those of no use any more."""
    held = {made.name: _hold_value(until, made.back)} if made.id else {}
    room = [f"(attribute_not_exists(#{c}) OR #{c} <= :most_{c})" for c in made.counted]
    return Update(
        partition=made.row,
        sort=LIMITS_SORT,
        sets={**held, TTL: int(until) + ROW_SECONDS},
        adds=made.counted,
        removes=[*drop],
        only_if=" AND ".join([*(f"attribute_not_exists(#{name})" for name in held), *room]),
        values={f"most_{c}": most[c] - n for c, n in made.counted.items()},
    )


def keep_update(made: HeldAmounts, back: Counts, until: float) -> Update:
    """Give back all but this part."""
    return Update(
        partition=made.row,
        sort=LIMITS_SORT,
        sets={made.name: _hold_value(until, back)},
        adds=_difference(back, made.back),
        only_if=f"#{made.name}.#back = :back",
        values={"back": made.back},
    )


def close_update(made: HeldAmounts, back: Counts, instead: Counts) -> Update:
    """Count something `instead` of what is held."""
    return Update(
        partition=made.row,
        sort=LIMITS_SORT,
        adds=_difference(instead, back),
        removes=[made.name],
        only_if=f"#{made.name}.#back = :back",
        values={"back": back},
    )


def sweep_update(lost: Sequence[HeldAmounts], until: float) -> Update:
    """Give back what is lost; what held nothing any more goes."""
    return Update(
        partition=lost[0].row,
        sort=LIMITS_SORT,
        sets={held.name: _hold_value(until, {}) for held in lost if held.back},
        adds=_difference({}, *(held.back for held in lost)),
        removes=[held.name for held in lost if not held.back],
        only_if=" AND ".join(f"#{held.name}.#back = :{held.id}" for held in lost),
        values={held.id: held.back for held in lost},
    )


def _hold_value(until: float, back: Counts) -> dict[str, Any]:
    return {"until": int(until), "back": dict(back)}


def _difference(more: Counts, *less: Counts) -> Counts:
    counts = Counter(more)
    for each in less:
        counts.subtract(each)
    return {counter: n for counter, n in counts.items() if n}


MAX_ATTEMPTS = 10  # each that fails tells of a row that somebody else has changed
MAX_SWEPT = 20  # reservations in one write: an expression has at most 4 kB
CACHED_ROWS, SECONDS_BETWEEN_LOOKS = 1_000, 60.0  # seconds between two looks at a row as a whole


class LimitExceeded(Exception):
    """A counter would go above what it may come to; `row` is as it was then."""

    def __init__(self, row: Item) -> None:
        super().__init__()
        self.row = row


@dataclass(frozen=True)
class LimitRows:
    """Raise Unavailable where the table does not answer."""

    table: Table
    patience: float  # seconds for which it may still be told how a request ended
    is_stale: Callable[[str, float], bool]  # whether a counter's time is over by then
    clock: Callable[[], float] = time.time  # epoch seconds
    _seen: TTLCache[str, bool] = field(
        default_factory=lambda: TTLCache(CACHED_ROWS, SECONDS_BETWEEN_LOOKS)
    )
    _stale: LRUCache[str, list[str]] = field(default_factory=lambda: LRUCache(CACHED_ROWS))

    def count(self, made: HeldAmounts, most: Counts, until: float) -> Item:
        """Count a request, and give its counters then; raise Exhausted where one has no room."""
        for _ in range(MAX_ATTEMPTS):
            try:
                return self._counted(made, most, until)
            except ConditionFailed as exc:
                row = exc.item or {}
            if made.name in row:  # by this very write, whose answer got lost
                return row
            full = made.exceeding(row, most)
            lost = [held for held in expired_holds(row, self.clock()) if full & held.back.keys()]
            if full and not lost:
                raise LimitExceeded(row)
            self._sweep(lost)
        raise _too_busy()

    def close(self, made: HeldAmounts, instead: Counts) -> None:
        """Give back what is held and count something `instead`, unless that has been done."""
        back, whole = made.back, self._is_due(made.row)
        for _ in range(MAX_ATTEMPTS):
            try:
                row = self.table.update(close_update(made, back, instead), return_all=whole)
            except ConditionFailed as exc:
                held = (exc.item or {}).get(made.name)
            else:
                return self._tidy(made.row, row) if whole else None
            if held is None:
                return None
            back = held["back"]
        raise _too_busy()

    def keep(self, made: HeldAmounts, back: Counts) -> None:
        """Give back all but this part, and hold on to that for as long as it may be told of."""
        with suppress(ConditionFailed):  # closed, or lost: it will be taken all the same
            self.table.update(
                keep_update(made, back, self.clock() + self.patience), return_all=False
            )

    def _counted(self, made: HeldAmounts, most: Counts, until: float) -> Item:
        whole = not made.id and self._is_due(made.row)  # else there is a look at its end
        update = count_update(made, most, until, self._stale.pop(made.row, ()))
        row = self.table.update(update, return_all=whole)
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
        self._stale[partition] = [name for name in counter_names(row) if self.is_stale(name, now)]

    def _tidy(self, partition: str, row: Item) -> None:
        self._remember(partition, row)
        self._sweep(expired_holds(row, self.clock()))

    def _sweep(self, lost: list[HeldAmounts]) -> None:
        """Give back what nobody has told of in time; others may be at it as well."""
        if lost:
            with suppress(ConditionFailed):
                update = sweep_update(lost[:MAX_SWEPT], self.clock() + self.patience)
                self.table.update(update, return_all=False)


def _too_busy() -> Unavailable:
    return Unavailable("The gateway's limits are too busy. Try again.")
