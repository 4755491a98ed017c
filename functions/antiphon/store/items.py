"""Rows that say whose an item is: a message, a reasoning step, a call that a provider keeps.

They let a request refer to stored items by id; the target that keeps them is all they hold.
"""

import time
from collections.abc import Iterable

from cachetools import TTLCache

from antiphon.settings.table import TTL
from antiphon.store.dynamodb import BatchTable

ITEM_SORT = "ITEM"
CACHED_ITEMS, CACHE_SECONDS = 10_000, 3_600  # ids owned lately are not written again


class Items:
    """Raise Unavailable where the table does not answer."""

    def __init__(self, batch: BatchTable) -> None:
        self._batch = batch
        self._owned: TTLCache[tuple[str, str], str] = TTLCache(CACHED_ITEMS, CACHE_SECONDS)

    def own(self, tenant: str, ids: Iterable[str], target: str, expires_at: int) -> None:
        """Let the tenant refer to items that live at a target."""
        new = [id for id in dict.fromkeys(ids) if self._owned.get((tenant, id)) != target]
        rows = (
            {"pk": _item_partition(tenant, id), "sk": ITEM_SORT, "id": id, "target": target}
            for id in new
        )
        self._batch.put_all({**row, TTL: expires_at} for row in rows)
        self._owned.update(((tenant, id), target) for id in new)

    def targets(self, tenant: str, ids: Iterable[str]) -> dict[str, str]:
        """The target of each id that is the tenant's; the others are not there."""
        now = time.time()
        keys = [(_item_partition(tenant, id), ITEM_SORT) for id in dict.fromkeys(ids)]
        found = self._batch.get_all(keys)
        return {row["id"]: row["target"] for row in found if row[TTL] > now}


def _item_partition(tenant: str, id: str) -> str:
    return f"T#{tenant}#X#{id}"
