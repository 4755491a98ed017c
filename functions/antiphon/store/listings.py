"""What a page of links should hold, as DynamoDB reads it and as a link fulfils it.

The index of metadata: a row for each pair of each link, in a partition of its own.

A pair stands in the partition key as a digest: up to 64 and 512 characters would be too long for
a key that has the tenant in it, and so no metadata stands in the index. It is written from the
table's stream, so it may lag a second; what is found by it is read from the links themselves.


Pages of links: in the order they were made, by metadata, or by the tree they belong to.
"""

import hashlib
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from functools import partial

from antiphon.errors import InvalidRequest
from antiphon.settings.table import PARTITION_KEY, SORT_KEY, TTL
from antiphon.store.dynamodb import BatchTable, Item, Query, Table
from antiphon.store.links import (
    KIND_LETTERS,
    LINK_SORT,
    Kind,
    Link,
    LinkChange,
    Links,
    link_of,
    link_partition,
)

LOWEST_SORT, HIGHEST_SORT = (
    "0",
    ":",
)  # around all sort keys: they begin with a digit, and ':' follows '9'
LOWEST_CHAR, HIGHEST_CHAR = " ", "\U0010ffff"  # around all characters of an id


@dataclass(frozen=True, kw_only=True)
class LinkQuery:
    """Bounds are epoch seconds, neither of them included."""

    limit: int = 20
    newest_first: bool = True
    after: Link | None = None
    created_after: int | None = None
    created_before: int | None = None
    model: str | None = None
    status: str | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)

    @property
    def span(self) -> tuple[str, str]:
        """The first and the last sort key; where the first is greater there can be no link."""
        low, high = LOWEST_SORT, HIGHEST_SORT
        if self.created_after is not None:
            low = f"{self.created_after * 1000 + 999:013d}{HIGHEST_CHAR}"
        if self.created_before is not None:
            high = f"{self.created_before * 1000:013d}"
        if self.after is None:
            return low, high
        place = sort_key_of(self.after)
        if self.newest_first:
            return low, min(high, _previous_key(place))
        return max(low, place + LOWEST_CHAR), high

    @property
    def where(self) -> str:
        """What `fits` says, in DynamoDB's words; the metadata is left to the index."""
        conditions = ["attribute_not_exists(#deleted_at)", "#expires_at > :now"]
        return " AND ".join([*conditions, *(f"#{name} = :{name}" for name in self._equal)])

    @property
    def values(self) -> dict[str, object]:
        return {"now": int(time.time()), **self._equal}

    def fits(self, link: Link) -> bool:
        has_all = self.metadata.items() <= link.metadata.items()
        return link.alive and has_all and all(getattr(link, n) == v for n, v in self._equal.items())

    @property
    def _equal(self) -> dict[str, str]:
        wanted = {"model": self.model, "status": self.status}
        return {name: value for name, value in wanted.items() if value is not None}


def sort_key_of(link: Link) -> str:
    """The sort key that puts links in the order in which they were made."""
    return f"{link.created_ms:013d}#{link.id}"


def _previous_key(place: str) -> str:
    return place[:-1] + chr(ord(place[-1]) - 1) + HIGHEST_CHAR


ALL_KEYS = "*"

type IndexRows = dict[tuple[str, str], Item]  # by partition key and sort key


class MetadataIndex:
    """Raise Unavailable where the table does not answer."""

    def __init__(self, table: Table, batch: BatchTable, keys: Collection[str]) -> None:
        self._table = table
        self._batch = batch
        self._links = Links(table)
        self._keys = keys

    def follow(self, change: LinkChange) -> None:
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

    def _rows(self, link: Link | None) -> IndexRows:
        if link is None or not link.alive:
            return {}
        pairs = (
            (k, v) for k, v in link.metadata.items() if ALL_KEYS in self._keys or k in self._keys
        )
        rows = (_index_row(link, *pair) for pair in pairs)
        return {(row[PARTITION_KEY], row[SORT_KEY]): row for row in rows}


def metadata_partition(kind: Kind, tenant: str, pair: tuple[str, str]) -> str:
    """The partition of a tenant's links that have this key and value."""
    digest = hashlib.sha256("{}\0{}".format(*pair).encode()).hexdigest()
    return f"T#{tenant}#M#{KIND_LETTERS[kind]}#{digest}"


def indexed_pair(metadata: Mapping[str, str], keys: Collection[str]) -> tuple[str, str]:
    """The pair to look links up by; raise InvalidRequest where none is in the index."""
    for key, value in metadata.items():
        if ALL_KEYS in keys or key in keys:
            return key, value
    name = next(iter(metadata))
    raise InvalidRequest(
        f"Links cannot be found by metadata '{name}'. This gateway indexes: "
        f"{', '.join(keys) or 'no metadata'} ('metadata_index' in its configuration).",
        param=f"metadata[{name}]",
        code="metadata_not_indexed",
    )


def _index_row(link: Link, key: str, value: str) -> Item:
    return {
        PARTITION_KEY: metadata_partition(link.kind, link.tenant, (key, value)),
        SORT_KEY: sort_key_of(link),
        "id": link.id,
        TTL: link.expires_at,
    }


READ_GROWTH = 4  # each further read for one page is so many times as long as the one before
MAX_READ = 500  # rows; DynamoDB itself stops at 1 MB
MAX_ROWS = 10_000  # read for one page

type RowFilter = Callable[[list[Item]], list[Link]]  # the links behind rows, as far as they fit


@dataclass(frozen=True)
class Page:
    """Some links, and whether there are more; `last_id` is what to ask for next by."""

    links: list[Link]
    has_more: bool = False
    last_id: str | None = None


class LinkListing:
    """Reads one partition that has the tenant in its key; never scans.

    A page is one read where nothing has to be passed over. A page for which more than MOST_ROWS
    would have to be read ends early: `has_more` is true then, `last_id` is that of the last link
    looked at, and the page may hold fewer links than asked for, or none. The indexes lag behind
    the links for a moment. Raise Unavailable where the table does not answer.
    """

    def __init__(self, table: Table, batch: BatchTable, keys: Collection[str]) -> None:
        self._table = table
        self._batch = batch
        self._links = Links(table)
        self._keys = keys  # of metadata, that are indexed

    def page(self, kind: Kind, tenant: str, asked: LinkQuery) -> Page:
        """Links of one kind; raise InvalidRequest for metadata that is not indexed."""
        alive = partial(self._links.get, kind, tenant)
        if not asked.metadata:
            index = _table_query(f"T#{tenant}#{KIND_LETTERS[kind]}", asked, "by_time")
            return self._filled(index, asked, _links_of_rows, alive)
        pair = indexed_pair(asked.metadata, self._keys)
        rows = _table_query(metadata_partition(kind, tenant, pair), asked)
        return self._filled(rows, asked, partial(self._looked_up, kind, tenant, asked), alive)

    def tree(self, link: Link, asked: LinkQuery) -> Page:
        """All that grew from the root of a link, conversation and responses."""

        def alive(id: str) -> Link | None:
            found = (self._links.get(kind, link.tenant, id) for kind in KIND_LETTERS)
            return next(filter(None, found), None)

        index = _table_query(f"T#{link.tenant}#{link.root}", asked, "by_root")
        return self._filled(index, asked, _links_of_rows, alive)

    def _filled(
        self,
        query: Query,
        asked: LinkQuery,
        fitting: RowFilter,
        alive: Callable[[str], Link | None],
    ) -> Page:
        if query.low > query.high:  # DynamoDB would refuse it
            return Page([])
        found: list[Link] = []
        start, size, rows = None, asked.limit + 1, 0
        while True:
            read = self._table.query(query, size, start)
            found += fitting(read.items)
            start, rows = read.next, rows + size
            if start is None or len(found) > asked.limit:
                return _page(found, asked.limit)
            last_id = start[query.keys[1]].partition("#")[2]
            if rows >= MAX_ROWS and alive(last_id):  # else nobody could ask for what follows it
                return Page(found, has_more=True, last_id=last_id)
            size = min(size * READ_GROWTH, MAX_READ)

    def _looked_up(self, kind: Kind, tenant: str, asked: LinkQuery, rows: list[Item]) -> list[Link]:
        """The links that index rows name, in their order, where the index still tells the truth."""
        keys = dict.fromkeys((link_partition(kind, tenant, row["id"]), LINK_SORT) for row in rows)
        links = {link.id: link for link in map(link_of, self._batch.get_all(keys))}
        named = ((row[SORT_KEY], links.get(row["id"])) for row in rows)
        return [
            link
            for place, link in named
            if link is not None and sort_key_of(link) == place and asked.fits(link)
        ]


def _table_query(owner: str, asked: LinkQuery, index: str | None = None) -> Query:
    low, high = asked.span
    found = Query(partition=owner, low=low, high=high, backwards=asked.newest_first)
    if index is None:
        return found
    return replace(found, index=index, where=asked.where, values=asked.values)


def _links_of_rows(rows: list[Item]) -> list[Link]:
    """An index that carries the links themselves, and passed over those that do not fit."""
    return [link_of(row) for row in rows]


def _page(found: list[Link], limit: int) -> Page:
    links = found[:limit]
    last_id = links[-1].id if links else None
    return Page(links, has_more=len(found) > limit, last_id=last_id)
