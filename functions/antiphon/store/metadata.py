"""The index of metadata: a row for each pair of each link, in a partition of its own.

A pair stands in the partition key as a digest: up to 64 and 512 characters would be too long for
a key that has the tenant in it, and so no metadata stands in the index. It is written from the
table's stream, so it may lag a second; what is found by it is read from the links themselves.
"""

import hashlib
from collections.abc import Collection, Mapping

from antiphon.errors import InvalidRequest
from antiphon.settings.table import PARTITION_KEY, SORT_KEY, TTL
from antiphon.store.asked import place_of
from antiphon.store.batch import Batch
from antiphon.store.changes import Change
from antiphon.store.links import LETTERS, Kind, Link, Links
from antiphon.store.table import Table
from antiphon.store.values import Item

EVERY = "*"

type Rows = dict[tuple[str, str], Item]  # by partition key and sort key


class MetadataIndex:
    """Raise Unavailable where the table does not answer."""

    def __init__(self, table: Table, batch: Batch, keys: Collection[str]) -> None:
        self._table = table
        self._batch = batch
        self._links = Links(table)
        self._keys = keys

    def follow(self, change: Change) -> None:
        """Bring the rows of a changed link in step with the link as it is now.

        As it is now, and not as the change tells: changes told twice or late do no harm then.
        """
        before, after = self._rows(change.old), self._rows(change.new)
        if before == after:
            return
        rows = self._rows(self._links.get(*change.names))
        self._batch.put_all(rows.values())
        for key in (before.keys() | after.keys()) - rows.keys():
            self._table.delete(*key)

    def _rows(self, link: Link | None) -> Rows:
        if link is None or not link.alive:
            return {}
        pairs = ((k, v) for k, v in link.metadata.items() if EVERY in self._keys or k in self._keys)
        rows = (_row(link, *pair) for pair in pairs)
        return {(row[PARTITION_KEY], row[SORT_KEY]): row for row in rows}


def partition(kind: Kind, tenant: str, pair: tuple[str, str]) -> str:
    """The partition of a tenant's links that have this key and value."""
    digest = hashlib.sha256("{}\0{}".format(*pair).encode()).hexdigest()
    return f"T#{tenant}#M#{LETTERS[kind]}#{digest}"


def indexed(metadata: Mapping[str, str], keys: Collection[str]) -> tuple[str, str]:
    """The pair to look links up by; raise InvalidRequest where none is in the index."""
    for key, value in metadata.items():
        if EVERY in keys or key in keys:
            return key, value
    name = next(iter(metadata))
    raise InvalidRequest(
        f"Links cannot be found by metadata '{name}'. This gateway indexes: "
        f"{', '.join(keys) or 'no metadata'} ('metadata_index' in its configuration).",
        param=f"metadata[{name}]",
        code="metadata_not_indexed",
    )


def _row(link: Link, key: str, value: str) -> Item:
    return {
        PARTITION_KEY: partition(link.kind, link.tenant, (key, value)),
        SORT_KEY: place_of(link),
        "id": link.id,
        TTL: link.expires_at,
    }
