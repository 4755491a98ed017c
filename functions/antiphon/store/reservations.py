"""The row that counts the usage of a key or a tenant: its attributes, and each update of it.

It has one attribute for each counter, and one attribute `held_<id>` for each reservation:
`until`, the epoch second at which it expires, and `back`, the amounts that are then given back.
An expired reservation is replaced by one without amounts, so usage that arrives late is counted,
and counted once. See docs/decisions/0008-one-row-for-what-counts.md.

A row with many reservations has three more, see store.moved_reservations: `end_<id>`, what replaces
the amounts of a reservation, not counted yet; `moved`, how many reservations have a row of their
own; and `look_at`, the epoch second from which one of those may have expired.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from antiphon.settings.table import PARTITION_KEY, SORT_KEY, TTL
from antiphon.store.dynamodb import Item, Update

LIMITS_SORT = "LIMITS"
RESERVATION_PREFIX, END_PREFIX = "held_", "end_"
MOVED, LOOK_AT = "moved", "look_at"
NOT_COUNTERS = {PARTITION_KEY, SORT_KEY, TTL, MOVED, LOOK_AT}
ROW_SECONDS = 62 * 86_400  # after so long without a request every window in a row has ended
MAX_EXPIRED = 20  # reservations in one write: an expression has at most 4 kB

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

    @property
    def end_name(self) -> str:
        """The attribute for its end, where that is counted later."""
        return END_PREFIX + self.id


class Increment(NamedTuple):
    """What a request adds to one counter, and the maximum of that counter."""

    counter: str
    amount: int
    maximum: int


def limits_partition(tenant: str, key_id: str | None = None) -> str:
    """Return the partition of a tenant's row, or of a row for one key."""
    return f"T#{tenant}#L" if key_id is None else f"T#{tenant}#L#{key_id}"


def counter_names(row: Item) -> Iterator[str]:
    prefixes = (RESERVATION_PREFIX, END_PREFIX)
    return (name for name in row if name not in NOT_COUNTERS and not name.startswith(prefixes))


def held_reservations(row: Item) -> list[StoredReservation]:
    """Return the reservations in a row; the first to expire come first."""
    held = sorted(
        (value["until"], name) for name, value in row.items() if name.startswith(RESERVATION_PREFIX)
    )
    ids = [name.removeprefix(RESERVATION_PREFIX) for _, name in held]
    return [
        StoredReservation(row[PARTITION_KEY], id, row[RESERVATION_PREFIX + id]["back"])
        for id in ids
    ]


def expired_reservations(row: Item, now: float) -> list[StoredReservation]:
    return [each for each in held_reservations(row) if row[each.name]["until"] <= now]


def build_count(
    reservation: StoredReservation,
    increments: Sequence[Increment],
    expires_at: float,
    stale: Iterable[str],
) -> Update:
    """Add all increments if no counter goes above its maximum; remove the `stale` counters."""
    stored = (
        {reservation.name: reservation_value(expires_at, reservation.refund)}
        if reservation.id
        else {}
    )
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
        sets={} if expires_at is None else {name: reservation_value(expires_at, amounts)},
        adds=difference(amounts, refund),
        removes=[name] if expires_at is None else [],
        only_if=f"#{name}.#back = :back",
        values={"back": refund},
    )


def build_expire(reservations: Sequence[StoredReservation], expires_at: float) -> Update:
    """Give back what the reservations hold; remove those that hold nothing already."""
    return Update(
        partition=reservations[0].row,
        sort=LIMITS_SORT,
        sets={r.name: reservation_value(expires_at, {}) for r in reservations if r.refund},
        adds=difference({}, *(r.refund for r in reservations)),
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
    sets = {new.name: reservation_value(until, new.refund)} if new.id else {}
    conditions = [
        f"#{name}.#back = :{id}" if id in held else f"attribute_not_exists(#{name})"
        for id, name in names.items()
    ]
    return Update(
        partition=partition,
        sort=LIMITS_SORT,
        sets=sets,
        adds=difference(counts, *held.values(), {name: -n for name, n in new.refund.items()}),
        removes=[names[id] for id in held if id != new.id],
        only_if=" AND ".join(conditions) or None,
        values=held,
    )


def reservation_value(expires_at: float, refund: Counts) -> dict[str, Any]:
    return {"until": int(expires_at), "back": dict(refund)}


def difference(amounts: Counts, *subtracted: Counts) -> Counts:
    counts = Counter(amounts)
    for each in subtracted:
        counts.subtract(each)
    return {counter: amount for counter, amount in counts.items() if amount}


def total(amounts: Iterable[Counts]) -> Counts:
    counts: Counter[str] = Counter()
    for each in amounts:
        counts.update(each)
    return {counter: amount for counter, amount in counts.items() if amount}
