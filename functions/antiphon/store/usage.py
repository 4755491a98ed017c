"""The sums: a row for each day, model, target and key of a tenant.

They are kept for ever, in one partition for a tenant, by day: a report of any length is one query.
Operators find those of all tenants in a partition of the index `by_time` which has no tenant in
its key, so that no function may read it.
"""

import hashlib
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, fields
from decimal import Decimal
from urllib.parse import quote

from antiphon.store.spent import COST, COUNTS, PICO, Place
from antiphon.store.table import Query, Table
from antiphon.store.update import Update
from antiphon.store.values import Item

EVERY = "USAGE"  # the partition of the index that has the sums of every tenant
BEHIND = "$"  # follows '#', which ends a day in all sort keys
LONGEST = 400  # characters of a model's name in a key, of which 1,024 bytes may be
READ = 1000  # rows at a time; DynamoDB itself stops at 1 MB


@dataclass(frozen=True)
class Sum:
    """What responses came to; None stands for all there are."""

    day: str | None
    model: str | None
    target: str | None
    key_id: str | None
    tenant: str | None
    counts: Mapping[str, int]  # all of COUNTS

    @property
    def cost(self) -> Decimal:
        """US dollars."""
        return Decimal(self.counts[COST]) / PICO

    @property
    def dollars(self) -> str:
        """The cost in plain digits, all of them: 0.00225."""
        return format(self.cost.normalize(), "f")


NOTHING = Sum(None, None, None, None, None, dict.fromkeys(COUNTS, 0))
PARTS = tuple(f.name for f in fields(Place))


class Usage:
    """Raise Unavailable where the table does not answer. Days are such as 2026-11-22, inclusive."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def of(self, tenant: str, first: str, last: str) -> Iterator[Sum]:
        """A tenant's sums, by day."""
        return self._read(Query(partition=partition(tenant), low=first, high=last + BEHIND))

    def every(self, first: str, last: str) -> Iterator[Sum]:
        """The sums of all tenants, by day; the index may lag a second."""
        return self._read(
            Query(partition=EVERY, low=first, high=last + BEHIND, index="by_time"),
        )

    def _read(self, query: Query) -> Iterator[Sum]:
        start: Item | None = None
        while True:
            rows = self._table.query(query, READ, start)
            yield from map(_sum_of, rows.items)
            start = rows.next
            if start is None:
                return


def partition(tenant: str) -> str:
    return f"T#{tenant}#U"


def addition(place: Place, counts: Mapping[str, int]) -> Update:
    """What adds counts, or takes them away, to the sum of a place."""
    sort = "#".join((place.day, _part(place.model), _part(place.target), _part(place.key_id)))
    index = {"by_time_pk": EVERY, "by_time_sk": f"{place.day}#{_part(place.tenant)}#{sort}"}
    texts = {name: getattr(place, name) for name in PARTS}
    return Update(
        partition=partition(place.tenant), sort=sort, sets={**index, **texts}, adds=counts
    )


def gathered(sums: Iterable[Sum], by: Collection[str]) -> list[Sum]:
    """One sum for each combination of the parts named in `by`, in their order."""
    totals: dict[tuple[str | None, ...], dict[str, int]]
    totals = defaultdict(lambda: dict.fromkeys(COUNTS, 0))
    for each in sums:
        counts = totals[tuple(getattr(each, name) if name in by else None for name in PARTS)]
        for name, number in each.counts.items():
            counts[name] += number
    ordered = sorted(totals.items(), key=lambda pair: [part or "" for part in pair[0]])
    return [Sum(**dict(zip(PARTS, parts, strict=True)), counts=each) for parts, each in ordered]


def total(sums: Iterable[Sum]) -> Sum:
    """All of them together; zeros where there are none."""
    found = gathered(sums, ())
    return found[0] if found else NOTHING


def _sum_of(row: Item) -> Sum:
    parts = {name: row[name] for name in PARTS}
    return Sum(**parts, counts={name: row.get(name, 0) for name in COUNTS})


def _part(name: str) -> str:
    """A name as part of a key, in which '#' parts names."""
    quoted = quote(name, safe=":")
    if len(quoted) <= LONGEST:
        return quoted
    return f"{quoted[:LONGEST]}~{hashlib.sha256(name.encode()).hexdigest()}"
