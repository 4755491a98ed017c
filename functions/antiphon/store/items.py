"""Rows that record who owns an item: a message, a reasoning step, a call that a provider stores.

They let a request refer to stored items by id; a row holds only the target that stores the item.
"""

from collections.abc import Iterable
from contextlib import AbstractContextManager

from cachetools import TTLCache

from antiphon.settings.table import TTL
from antiphon.store.dynamodb import BatchTable, Item, Update
from antiphon.store.links import Link, link_row

ITEM_SORT = "ITEM"
CACHED_ITEMS, CACHE_SECONDS = 10_000, 3_600  # ids recorded lately are not written again
MAX_UPDATES = 99  # DynamoDB takes 100 rows in a transaction, and one of them is the link


class Items:
    """Raise Unavailable where the table does not answer."""

    def __init__(self, batch: BatchTable) -> None:
        self.batch = batch
        self._owned: TTLCache[tuple[str, str], str] = TTLCache(CACHED_ITEMS, CACHE_SECONDS)

    def at_most(self, seconds: float) -> AbstractContextManager[None]:
        """Limit the calls of a block to so many seconds."""
        return self.batch.time.at_most(seconds)

    def own(self, tenant: str, ids: Iterable[str], target: str, expires_at: int) -> None:
        """Let the tenant refer to items that are stored at a target."""
        self._put([], tenant, ids, target, expires_at)

    def own_with(self, link: Link, ids: Iterable[str]) -> None:
        """Record a new link, and the owner of its items, in one call.

        A batch has no conditions: a link of the tenant with the same id is replaced.
        """
        self._put([link_row(link)], link.tenant, ids, link.target, link.expires_at)

    def _put(
        self, rows: list[Item], tenant: str, ids: Iterable[str], target: str, expires_at: int
    ) -> None:
        new = [id for id in dict.fromkeys(ids) if self._owned.get((tenant, id)) != target]
        attributes = {id: _attributes(id, target, expires_at) for id in new}
        owned = [
            {"pk": item_partition(tenant, id), "sk": ITEM_SORT, **more}
            for id, more in attributes.items()
        ]
        self.batch.put_all([*rows, *owned])
        self._owned.update(((tenant, id), target) for id in new)

    def ownership_updates(self, link: Link, ids: Iterable[str]) -> list[Update]:
        """Return the updates that let a link's tenant refer to its items.

        They go into one transaction with the link; what is too much for one is written at once.
        """
        new = list(dict.fromkeys(ids))
        self.own(link.tenant, new[MAX_UPDATES:], link.target, link.expires_at)
        return build_updates(link, new[:MAX_UPDATES])


def build_updates(link: Link, ids: Iterable[str]) -> list[Update]:
    """Return the updates that let a link's tenant refer to these items."""
    return [
        Update(
            partition=item_partition(link.tenant, id),
            sort=ITEM_SORT,
            sets=_attributes(id, link.target, link.expires_at),
        )
        for id in dict.fromkeys(ids)
    ]


def _attributes(id: str, target: str, expires_at: int) -> Item:
    return {"id": id, "target": target, TTL: expires_at}


def item_partition(tenant: str, id: str) -> str:
    return f"T#{tenant}#X#{id}"
