"""Reservations in rows of their own, so that the row of the counters stays small.

    T#acme#L#key_1       LIMITS  counters, held_<id>, end_<id>, moved, look_at
    T#acme#L#key_1#HELD  <id>    one reservation: `until` and `back`, as in the row of the counters

A reservation begins in the row of its counters: one write of one row is what makes a limit exact.
Where that row has many, one request moves them by one transaction. The end of a moved one is first
an attribute of the counters' row, by one write; later one request counts many ends by a transaction
that deletes their reservations, so each counts once. An end that is not counted yet refuses nobody:
who finds no room counts it first. The attributes are described in store.reservations.
See docs/decisions/0030-reservations-move-out.md.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from math import inf
from typing import Any, NamedTuple

from antiphon.errors import Unavailable
from antiphon.settings.table import PARTITION_KEY, SORT_KEY, TTL
from antiphon.store.dynamodb import ConditionFailed, Conflict, Item, Table, Update
from antiphon.store.queries import Query
from antiphon.store.reservations import (
    END_PREFIX,
    LIMITS_SORT,
    LOOK_AT,
    MOVED,
    RESERVATION_PREFIX,
    ROW_SECONDS,
    Counts,
    StoredReservation,
    difference,
    held_reservations,
    reservation_value,
    total,
)

MAX_HELD = 16  # reservations or ends in the counters' row, before they are moved or counted
MAX_IN_TRANSACTION = 20  # of each; an expression has at most 4 kB
MAX_ATTEMPTS = 3  # of one request
EACH = 4  # of so many requests that find too many, one moves them: others would be in its way
MAX_EXPIRED_ROWS = 90  # in one transaction, which has at most 100 writes
READ_ROWS = 1_000
FIRST_ID, AFTER_IDS = "0", "g"  # ids are hexadecimal
# A search for expired reservations reads all moved ones: at most so often, by one request.
SEARCH_SECONDS, CLAIM_SECONDS = 60, 2


@dataclass(frozen=True, eq=False, repr=False)
class MovedReservations:
    table: Table
    settle_seconds: float  # how long the end of a request may still be recorded
    clock: Callable[[], float]  # epoch seconds

    def tidy_if_due(self, row: Item, most: int) -> bool:
        """Call `tidy` while this request is the one to do it; `most`: reservations in the row.

        Return whether most reservations have rows of their own.
        """
        latest: Item | None = row
        for _ in range(MAX_ATTEMPTS):
            if latest is None or not _is_due(latest, most):
                break
            latest = self.tidy(latest)
        return _is_crowded(row)

    def tidy(self, row: Item) -> Item | None:
        """Count the ends in a row and move its reservations.

        Return the row where another request has changed it meanwhile, so that nothing was done.
        """
        ends, held = _end_ids(row)[:MAX_IN_TRANSACTION], held_reservations(row)
        in_row = {each.id for each in held}
        rest = [each for each in held if each.end_name not in row]
        moving = rest[:MAX_IN_TRANSACTION] if len(rest) >= MAX_HELD else []
        with suppress(Unavailable):  # the next request does it
            try:
                stored = self._read(row, [id for id in ends if id not in in_row])
                changes = [build_counted_end(row, id, stored.get(id)) for id in ends]
                changes += [build_move(row, each) for each in moving]
                self.table.transact(build_tidying(row, changes, self.clock()))
            except (ConditionFailed, Conflict):
                return self.table.get(row[PARTITION_KEY], LIMITS_SORT)
        return None

    def give_back_expired(self, row: Item) -> bool:
        """Give back what has expired of the moved reservations; return whether there was any."""
        now = self.clock()
        if row.get(LOOK_AT, now + 1) > now or not self._claim_search(row, now):
            return False
        partition: str = row[PARTITION_KEY]
        expired, look_at = self._read_expired(partition, now)
        writes = build_give_back(partition, expired, now + self.settle_seconds, int(look_at))
        with suppress(ConditionFailed, Conflict):
            self.table.transact(writes)
            return bool(expired)
        return False

    def _read(self, row: Item, ids: Sequence[str]) -> Mapping[str, Item]:
        if not ids:
            return {}
        partition = held_partition(row[PARTITION_KEY])
        # While a transaction is being made, a simple read may not show yet what `row` shows.
        found = self.table.get_together((partition, id) for id in ids)
        return {item[SORT_KEY]: item for item in found}

    def _claim_search(self, row: Item, now: float) -> bool:
        update = Update(
            partition=row[PARTITION_KEY],
            sort=LIMITS_SORT,
            sets={LOOK_AT: int(now) + CLAIM_SECONDS},
            only_if=f"#{LOOK_AT} = :seen",
            values={"seen": row[LOOK_AT]},
        )
        try:
            self.table.update(update, return_all=False)
        except (ConditionFailed, Conflict):
            return False
        return True

    def _read_expired(self, partition: str, now: float) -> tuple[list[Item], float]:
        """Return expired rows, as many as one write may change, and when to search again."""
        query = Query(partition=held_partition(partition), low=FIRST_ID, high=AFTER_IDS)
        expired: list[Item] = []
        look_at, start = now + SEARCH_SECONDS, None
        while True:
            page = self.table.query(query, READ_ROWS, start)
            expired += [item for item in page.items if item["until"] <= now]
            look_at = min([look_at, *(i["until"] for i in page.items if i["until"] > now)])
            start = page.next
            if len(expired) > MAX_EXPIRED_ROWS:
                return expired[:MAX_EXPIRED_ROWS], now
            if start is None:
                return expired, look_at


class Delete(Update):
    """The deletion of a row, in a transaction."""

    def to_arguments(self) -> dict[str, object]:
        return {name: value for name, value in super().to_arguments().items() if value}


class Change(NamedTuple):
    """What changes in the counters' row for one reservation, and the write of its own row."""

    condition: str
    values: Item  # of the condition
    removes: Sequence[str]
    sets: Item
    adds: Counts
    other: Update | None = None
    until: float = inf  # when a moved reservation expires


def held_partition(row: str) -> str:
    """Return the partition of the reservations that have left a row."""
    return f"{row}#HELD"


def _is_crowded(row: Item) -> bool:
    moved: int = row.get(MOVED, 0)
    return moved > MAX_HELD


def _is_due(row: Item, most: int) -> bool:
    held, ends = sum(name.startswith(RESERVATION_PREFIX) for name in row), len(_end_ids(row))
    has_many = (held >= most and held % EACH == 0) or (ends >= MAX_HELD and ends % EACH == 0)
    return has_many or (ends > 0 and not _is_crowded(row))


def has_ends(row: Item) -> bool:
    return bool(_end_ids(row))


def build_end(reservation: StoredReservation, amounts: Counts, expires_at: float | None) -> Update:
    """Add the end of a reservation to the row, wherever the reservation is; it counts later."""
    end = {"back": dict(amounts)}
    if expires_at is not None:
        end = reservation_value(expires_at, amounts)
    return Update(
        partition=reservation.row,
        sort=LIMITS_SORT,
        sets={reservation.end_name: end},
        only_if=f"attribute_exists(#{LOOK_AT}) AND attribute_not_exists(#{reservation.end_name})",
    )


def build_counted_end(row: Item, id: str, stored: Item | None) -> Change:
    """Count the end of a reservation that is in the row, or else in a row of its own: `stored`.

    One that is in neither is closed already, and its end changes nothing.
    """
    name, held = END_PREFIX + id, RESERVATION_PREFIX + id
    end, condition, values = row[name], f"#{name} = :{name}", {name: row[name]}
    is_open = "until" in end
    if held in row:
        back = row[held]["back"]
        removes, sets = ([name], {held: end}) if is_open else ([name, held], {})
        condition, values = f"{condition} AND #{held}.#back = :{id}", {**values, id: back}
        return Change(condition, values, removes, sets, difference(end["back"], back))
    if stored is None:
        return Change(condition, values, [name], {}, {})
    deleted = {} if is_open else {MOVED: 1}
    adds = difference(end["back"], stored["back"], deleted)
    return Change(condition, values, [name], {}, adds, _build_end_of_row(stored, end))


def build_move(row: Item, held: StoredReservation) -> Change:
    """Give a reservation a row of its own."""
    until: int = row[held.name]["until"]
    own = Update(
        partition=held_partition(held.row),
        sort=held.id,
        sets={**reservation_value(until, held.refund), TTL: until + ROW_SECONDS},
        only_if=f"attribute_not_exists(#{PARTITION_KEY})",
    )
    condition, values = f"#{held.name}.#back = :{held.id}", {held.id: held.refund}
    return Change(condition, values, [held.name], {}, {MOVED: 1}, own, until)


def build_tidying(row: Item, changes: Sequence[Change], now: float) -> list[Update]:
    """Make all changes in one transaction."""
    searches = row.get(LOOK_AT, inf), int(now) + SEARCH_SECONDS, *(each.until for each in changes)
    moves = any(each.until < inf for each in changes)
    update = Update(
        partition=row[PARTITION_KEY],
        sort=LIMITS_SORT,
        sets=_merge([each.sets for each in changes] + [{LOOK_AT: min(searches)}] * moves),
        adds=total(each.adds for each in changes),
        removes=[name for each in changes for name in each.removes],
        only_if=" AND ".join(each.condition for each in changes),
        values=_merge(each.values for each in changes),
    )
    return [update, *(each.other for each in changes if each.other is not None)]


def build_give_back(
    partition: str, expired: Iterable[Item], settle_until: float, look_at: int
) -> list[Update]:
    """Give back what moved reservations hold; delete those that hold nothing already."""
    stored = [*expired]
    deleted = sum(not item["back"] for item in stored)
    amounts = difference({MOVED: -deleted}, *(item["back"] for item in stored))
    update = Update(
        partition=partition,
        sort=LIMITS_SORT,
        sets={LOOK_AT: look_at},
        adds=amounts,
        only_if=f"attribute_exists(#{LOOK_AT})",
    )
    empty = {"back": {}, "until": int(settle_until)}
    return [update, *(_build_end_of_row(item, empty if item["back"] else {}) for item in stored)]


def _build_end_of_row(stored: Item, end: Item) -> Update:
    """Replace what a moved reservation holds by an end that is open, else delete it."""
    key: Any = {"partition": stored[PARTITION_KEY], "sort": stored[SORT_KEY]}
    unchanged: Any = {
        "only_if": "#back = :seen_back AND #until = :seen_until",
        "values": {"seen_back": stored["back"], "seen_until": stored["until"]},
    }
    is_open = "until" in end
    return Update(**key, **unchanged, sets=end) if is_open else Delete(**key, **unchanged)


def _merge(mappings: Iterable[Item]) -> Item:
    return {name: value for each in mappings for name, value in each.items()}


def _end_ids(row: Item) -> list[str]:
    return [name.removeprefix(END_PREFIX) for name in row if name.startswith(END_PREFIX)]
