"""Rows that count what a key or a tenant uses, as they are written: each write for all that agrees.

Attributes are counters, and one `held_…` for each request on its way: until when it counts, and
what comes `back` by itself where nobody tells how it ended. Such a reservation is then replaced by
one that holds nothing, so that what is told late is still taken, and taken once.
DynamoDB takes a thousand writes of 1 kB a second for a row; a reservation has about 100 bytes.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from antiphon.settings.table import PARTITION_KEY, SORT_KEY, TTL
from antiphon.store.update import Update
from antiphon.store.values import Item

SORT = "LIMITS"
HELD = "held_"
KEPT = 62 * 86_400  # seconds without a request, after which nothing in a row counts any more
NO_COUNTERS = {PARTITION_KEY, SORT_KEY, TTL}

type Counts = Mapping[str, int]  # by counter


@dataclass(frozen=True)
class Reservation:
    """What a request is counted with in a row; without an id it has no end to be told of."""

    row: str  # the partition key
    id: str
    counted: Counts
    back: Counts  # the part of it that comes back by itself

    @property
    def name(self) -> str:
        return HELD + self.id

    def exceeding(self, row: Item, most: Counts) -> set[str]:
        """The counters that have no room for it."""
        return {c for c, n in self.counted.items() if row.get(c, 0) + n > most[c]}


def partition(tenant: str, key_id: str | None = None) -> str:
    """The partition of a tenant's row, or of one for a key alone."""
    return f"T#{tenant}#L" if key_id is None else f"T#{tenant}#L#{key_id}"


def counters(row: Item) -> Iterator[str]:
    return (name for name in row if name not in NO_COUNTERS and not name.startswith(HELD))


def expired(row: Item, now: float) -> list[Reservation]:
    """Those of which nobody has told in time."""
    held = ((name, value) for name, value in row.items() if name.startswith(HELD))
    return [
        Reservation(row[PARTITION_KEY], name.removeprefix(HELD), {}, value["back"])
        for name, value in held
        if value["until"] <= now
    ]


def counting(made: Reservation, most: Counts, until: float, drop: Iterable[str]) -> Update:
    """Count it where no counter goes above `most`; `drop` are those of no use any more."""
    held = {made.name: _held(until, made.back)} if made.id else {}
    room = [f"(attribute_not_exists(#{c}) OR #{c} <= :most_{c})" for c in made.counted]
    return Update(
        partition=made.row,
        sort=SORT,
        sets={**held, TTL: int(until) + KEPT},
        adds=made.counted,
        removes=[*drop],
        only_if=" AND ".join([*(f"attribute_not_exists(#{name})" for name in held), *room]),
        values={f"most_{c}": most[c] - n for c, n in made.counted.items()},
    )


def keeping(made: Reservation, back: Counts, until: float) -> Update:
    """Give back all but this part."""
    return Update(
        partition=made.row,
        sort=SORT,
        sets={made.name: _held(until, back)},
        adds=_difference(back, made.back),
        only_if=f"#{made.name}.#back = :back",
        values={"back": made.back},
    )


def closing(made: Reservation, back: Counts, instead: Counts) -> Update:
    """Count something `instead` of what is held."""
    return Update(
        partition=made.row,
        sort=SORT,
        adds=_difference(instead, back),
        removes=[made.name],
        only_if=f"#{made.name}.#back = :back",
        values={"back": back},
    )


def sweeping(lost: Sequence[Reservation], until: float) -> Update:
    """Give back what is lost; what held nothing any more goes."""
    return Update(
        partition=lost[0].row,
        sort=SORT,
        sets={held.name: _held(until, {}) for held in lost if held.back},
        adds=_difference({}, *(held.back for held in lost)),
        removes=[held.name for held in lost if not held.back],
        only_if=" AND ".join(f"#{held.name}.#back = :{held.id}" for held in lost),
        values={held.id: held.back for held in lost},
    )


def _held(until: float, back: Counts) -> dict[str, Any]:
    return {"until": int(until), "back": dict(back)}


def _difference(more: Counts, *less: Counts) -> Counts:
    counts = Counter(more)
    for each in less:
        counts.subtract(each)
    return {counter: n for counter, n in counts.items() if n}
