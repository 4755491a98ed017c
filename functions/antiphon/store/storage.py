"""What a tenant and each of its keys have stored at providers: a row for each, without an end.

The rows have the form of those in store.reservations. A create under a ceiling is reserved until
the link of what it made is counted here, so a ceiling holds in between as well. A container holds
its place like a reservation, until it ends: no change of a row says when it was idle for too long.

Operators read the rows of all tenants from the index `by_time`, beside the usage sums.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import Self

from antiphon.store.containers import container_ends_at
from antiphon.store.dynamodb import Item, Table, Update
from antiphon.store.links import Link
from antiphon.store.queries import Query
from antiphon.store.reservations import (
    LIMITS_SORT,
    MAX_EXPIRED,
    Counts,
    StoredReservation,
    build_recount,
    expired_reservations,
)
from antiphon.store.usage import ALL_TENANTS, READ_ROWS

FILES, FILE_BYTES, VECTOR_STORES, CONTAINERS = "files", "file_bytes", "vector_stores", "containers"
STORED = (FILES, FILE_BYTES, VECTOR_STORES, CONTAINERS)  # the counters
STORED_KINDS = {"file", "vector_store", "container"}
INDEX_START, AFTER_INDEX_START = "storage#", "storage$"  # after all days: "s" follows the digits


@dataclass(frozen=True)
class StorageKey:
    """Whose storage a row counts."""

    tenant: str
    key_id: str | None  # None: of all keys together

    @property
    def partition(self) -> str:
        whole = f"T#{self.tenant}#S"
        return whole if self.key_id is None else f"{whole}#{self.key_id}"

    @property
    def attributes(self) -> Item:
        """What a row has besides its counters, so that operators find it."""
        sort = f"{INDEX_START}{self.tenant}#{self.key_id or ''}"
        named = {} if self.key_id is None else {"key_id": self.key_id}
        return {"by_time_pk": ALL_TENANTS, "by_time_sk": sort, "tenant": self.tenant, **named}


@dataclass(frozen=True)
class Storage:
    """What is stored now, as far as it is counted already."""

    key: StorageKey
    counts: Mapping[str, int] = field(default_factory=lambda: dict.fromkeys(STORED, 0))

    @classmethod
    def of_row(cls, key: StorageKey, row: Item, now: float) -> Self:
        counts = Counter({name: row.get(name, 0) for name in STORED})
        for expired in expired_reservations(row, now):
            counts.subtract(expired.refund)
        return cls(key, {name: max(counts[name], 0) for name in STORED})


@dataclass(frozen=True, eq=False, repr=False)
class StorageRows:
    """Every method raises Unavailable where the table does not answer."""

    table: Table

    def read(self, tenant: str, now: float) -> Storage:
        """Return what a tenant has stored."""
        key = StorageKey(tenant, None)
        return Storage.of_row(key, self.table.get(key.partition, LIMITS_SORT) or {}, now)

    def read_all(self, tenant: str | None, now: float) -> Iterator[Storage]:
        """Yield the storage of one tenant or of all, each followed by its keys."""
        low, high = INDEX_START, AFTER_INDEX_START
        if tenant is not None:
            low, high = f"{INDEX_START}{tenant}#", f"{INDEX_START}{tenant}$"
        query = Query(partition=ALL_TENANTS, low=low, high=high, index="by_time")
        start: Item | None = None
        while True:
            page = self.table.query(query, READ_ROWS, start)
            for row in page.items:
                yield Storage.of_row(StorageKey(row["tenant"], row.get("key_id")), row, now)
            start = page.next
            if start is None:
                return

    def recount(self, key: StorageKey, link: Link, counts: Counts, now: float) -> Update:
        """Return the update of a row for a link whose `counts` have changed.

        It ends the reservation of the link's create, and those that have expired.
        """
        row = self.table.get(key.partition, LIMITS_SORT) or {}
        expired = [each.id for each in expired_reservations(row, now)[:MAX_EXPIRED]]
        ended, begun = [create_reservation_id(link), *expired], None
        if link.kind == "container":
            place = StoredReservation(key.partition, _digest(link.id), {CONTAINERS: 1})
            ended.append(place.id)
            if link.key_id and container_ends_at(link) > now:
                begun = place, container_ends_at(link)
        update = build_recount(key.partition, row, counts, ended, begun)
        return replace(update, sets={**update.sets, **key.attributes})


def stored_counts(link: Link) -> dict[str, int]:
    """Return what a link adds to the counters; containers are counted by their places.

    What an operator has adopted was not made through the gateway: it counts for nobody.
    """
    if link.deleted_at is not None or not link.key_id or link.kind not in {"file", "vector_store"}:
        return {}
    if link.kind == "vector_store":
        return {VECTOR_STORES: 1}
    size = (link.details or {}).get("bytes")
    return {FILES: 1, FILE_BYTES: size if type(size) is int and size > 0 else 0}


def reservation_id(request_id: str) -> str:
    """Return the id of the reservation that a create makes under a ceiling."""
    return _digest(request_id)


def create_reservation_id(link: Link) -> str:
    """Return the id of the reservation under which a link was made: for a file, its upload's."""
    id: str = (link.lease or {}).get("id") or reservation_id(link.request_id)
    return id


def _digest(text: str) -> str:
    return sha256(text.encode()).hexdigest()[:16]
