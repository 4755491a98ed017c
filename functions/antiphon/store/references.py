"""Reads which of the ids that a request refers to are a tenant's own, and which targets hold them.

One batch read finds links and items alike, however many ids a request names.
"""

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from antiphon.settings.table import PARTITION_KEY, TTL
from antiphon.store.dynamodb import BatchTable
from antiphon.store.items import ITEM_SORT, item_partition
from antiphon.store.links import LINK_SORT, Kind, link_partition

type ReferenceKind = Kind | Literal["item"]
type Name = tuple[ReferenceKind, str]  # kind and id


@dataclass(frozen=True, eq=False, repr=False)
class References:
    """Raise Unavailable where the table does not answer."""

    batch: BatchTable

    def targets(self, tenant: str, names: Iterable[Name]) -> Mapping[Name, str]:
        """Return the target of each name that the tenant owns; all others are left out.

        Unknown, foreign, deleted and expired ids are left out alike.
        """
        keys = {_row_key(tenant, name): name for name in names}
        by_partition = {partition: name for (partition, _), name in keys.items()}
        now = time.time()
        return {
            by_partition[row[PARTITION_KEY]]: row["target"]
            for row in self.batch.get_all(keys)
            if row[TTL] > now and row.get("deleted_at") is None
        }


def _row_key(tenant: str, name: Name) -> tuple[str, str]:
    kind, id = name
    if kind == "item":
        return item_partition(tenant, id), ITEM_SORT
    return link_partition(kind, tenant, id), LINK_SORT
