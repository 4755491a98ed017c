"""Counts files, vector stores and containers into what their tenant and their key have stored."""

import json
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from antiphon.store.containers import container_ends_at
from antiphon.store.dynamodb import Item, Update
from antiphon.store.links import Link
from antiphon.store.storage import STORED_KINDS, StorageKey, StorageRows, stored_counts


@dataclass(frozen=True)
class StorageRollup:
    rows: StorageRows
    clock: Callable[[], float] = time.time
    marker_sort: str = "STORED"

    def fingerprint(self, link: Link | None) -> str | None:
        if link is None or link.kind not in STORED_KINDS:
            return None
        end = container_ends_at(link) if link.kind == "container" else None
        return json.dumps([stored_counts(link), end])

    def mark(self, link: Link) -> Item:
        return {"key_id": link.key_id, "counts": stored_counts(link)}

    def additions(self, link: Link, mark: Item, counted: Item | None) -> Iterator[Update]:
        """Add the new counts to the tenant and the key, and subtract those of the marker."""
        deltas: dict[StorageKey, Counter[str]] = defaultdict(Counter)
        for key_id in {None, link.key_id or None}:
            deltas[StorageKey(link.tenant, key_id)].update(mark["counts"])
        if counted is not None:
            for key_id in {None, counted["key_id"] or None}:
                deltas[StorageKey(link.tenant, key_id)].subtract(counted["counts"])
        for key, numbers in deltas.items():
            changed = {name: number for name, number in numbers.items() if number}
            yield self.rows.recount(key, link, changed, self.clock())

    def report(self, additions: Sequence[Update]) -> None:
        """Nothing of it is a metric: tenants and keys are never dimensions."""
