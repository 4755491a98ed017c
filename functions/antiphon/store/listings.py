"""Pages of a tenant's links: by creation time, by metadata, or by the tree they belong to.

The metadata index has one row for each key and value of a link's metadata. Key and value are
hashed in the partition key, since up to 64 and 512 characters are too long for it; so no metadata
is stored in the index. The index is written from the table's stream and may lag by seconds, so
links found through it are checked against the links themselves.
"""

import hashlib
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from functools import partial

from antiphon.errors import InvalidRequest
from antiphon.settings.table import PARTITION_KEY, SORT_KEY, TTL
from antiphon.store.dynamodb import BatchTable, Item, Table
from antiphon.store.links import (
    LINK_SORT,
    SHORT_NAMES,
    TREE_KINDS,
    Kind,
    Link,
    LinkChange,
    Links,
    link_of_row,
    link_partition,
    link_sort_key,
    root_partition,
    time_partition,
)
from antiphon.store.queries import Query

# Below and above all sort keys, which begin with a digit: ":" follows "9".
LOWEST_SORT, HIGHEST_SORT = "0", ":"
LOWEST_CHAR, HIGHEST_CHAR = " ", "\U0010ffff"  # below and above all characters of an id
ALL_KEYS = "*"
READ_GROWTH = 4  # each further read for one page is this many times as large as the one before
MAX_READ = 500  # rows in one read; DynamoDB itself stops at 1 MB
MAX_ROWS = 10_000  # read for one page

type IndexRows = dict[tuple[str, str], Item]  # by partition key and sort key
type LinkLoader = Callable[[list[Item]], list[Link]]  # rows of a query -> their links that match
type LiveLookup = Callable[[str], Link | None]


@dataclass(frozen=True, kw_only=True)
class LinkQuery:
    """Which links a page may have; the time bounds are epoch seconds, both exclusive."""

    limit: int = 20
    newest_first: bool = True
    after: Link | None = None
    created_after: int | None = None
    created_before: int | None = None
    model: str | None = None
    status: str | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)
    details: Mapping[str, str] = field(default_factory=dict)

    @property
    def sort_range(self) -> tuple[str, str]:
        """The first and the last sort key; no link matches where the first is greater."""
        low, high = LOWEST_SORT, HIGHEST_SORT
        if self.created_after is not None:
            low = f"{self.created_after * 1000 + 999:013d}{HIGHEST_CHAR}"
        if self.created_before is not None:
            high = f"{self.created_before * 1000:013d}"
        if self.after is None:
            return low, high
        last = link_sort_key(self.after)
        if self.newest_first:
            return low, min(high, _previous_key(last))
        return max(low, last + LOWEST_CHAR), high

    @property
    def filter_expression(self) -> str:
        """The conditions of `matches` for DynamoDB, except those on metadata and details."""
        conditions = ["attribute_not_exists(#deleted_at)", "#expires_at > :now"]
        return " AND ".join([*conditions, *(f"#{name} = :{name}" for name in self._equal)])

    @property
    def filter_values(self) -> dict[str, object]:
        return {"now": int(time.time()), **self._equal}

    def matches(self, link: Link) -> bool:
        """Whether a live link has all that is wanted; the sort range is not checked."""
        has_metadata = self.metadata.items() <= link.metadata.items()
        has_metadata &= self.details.items() <= (link.details or {}).items()
        has_equal = all(getattr(link, name) == value for name, value in self._equal.items())
        return link.is_live and has_metadata and has_equal

    @property
    def _equal(self) -> dict[str, str]:
        values = {"model": self.model, "status": self.status}
        return {name: value for name, value in values.items() if value is not None}


@dataclass(frozen=True)
class Page:
    """Some links; where `has_more` is true, the next page comes after the id `last_id`."""

    links: list[Link]
    has_more: bool = False
    last_id: str | None = None


class LinkListing:
    """Lists links from one partition, which has the tenant in its key; never scans.

    A page takes one query unless links are filtered out. A page that needs more than MAX_ROWS rows
    ends early: `has_more` is true, `last_id` is the last link that was read, and the page may have
    fewer links than its limit, or none. The indexes lag behind the links by moments. Every method
    raises Unavailable where the table does not answer.
    """

    def __init__(self, table: Table, batch: BatchTable, keys: Collection[str]) -> None:
        self._table = table
        self._batch = batch
        self._links = Links(table)
        self._keys = keys  # of the metadata that is indexed

    def page(self, kind: Kind, tenant: str, query: LinkQuery) -> Page:
        """List a tenant's links of one kind; raise InvalidRequest for metadata without an index."""
        get_live = partial(self._links.get, kind, tenant)
        if not query.metadata:
            rows = _index_query(time_partition(kind, tenant), query, "by_time")
            return self._read_page(rows, query.limit, partial(_parse_links, query), get_live)
        pair = indexed_pair(query.metadata, self._keys)
        rows = _table_query(metadata_partition(kind, tenant, pair), query)
        load = partial(self._load_links, kind, tenant, query)
        return self._read_page(rows, query.limit, load, get_live)

    def tree(self, link: Link, query: LinkQuery) -> Page:
        """List all links with the same root: responses, and the conversation if it is the root."""

        def get_live(id: str) -> Link | None:
            links = (self._links.get(kind, link.tenant, id) for kind in TREE_KINDS)
            return next(filter(None, links), None)

        rows = _index_query(root_partition(link), query, "by_root")
        return self._read_page(rows, query.limit, partial(_parse_links, query), get_live)

    def _read_page(self, query: Query, limit: int, load: LinkLoader, get_live: LiveLookup) -> Page:
        if query.low > query.high:  # DynamoDB refuses such a range
            return Page([])
        links: list[Link] = []
        start, size, row_count = None, limit + 1, 0
        while True:
            read = self._table.query(query, size, start)
            links += load(read.items)
            start, row_count = read.next, row_count + size
            if start is None or len(links) > limit:
                return _cut_page(links, limit)
            last_id = start[query.key_names[1]].partition("#")[2]
            # Only after a live link can the caller request the next page.
            if row_count >= MAX_ROWS and get_live(last_id):
                return Page(links, has_more=True, last_id=last_id)
            size = min(size * READ_GROWTH, MAX_READ)

    def _load_links(
        self, kind: Kind, tenant: str, query: LinkQuery, rows: list[Item]
    ) -> list[Link]:
        """Read the links of metadata index rows, in their order, without those of stale rows."""
        keys = dict.fromkeys((link_partition(kind, tenant, row["id"]), LINK_SORT) for row in rows)
        links = {link.id: link for link in map(link_of_row, self._batch.get_all(keys))}
        indexed = ((row[SORT_KEY], links.get(row["id"])) for row in rows)
        return [
            link
            for sort, link in indexed
            if link is not None and link_sort_key(link) == sort and query.matches(link)
        ]


class MetadataIndex:
    """Raise Unavailable where the table does not answer."""

    def __init__(self, table: Table, batch: BatchTable, keys: Collection[str]) -> None:
        self._table = table
        self._batch = batch
        self._links = Links(table)
        self._keys = keys

    def apply(self, change: LinkChange) -> None:
        """Update the index rows of a changed link to the link as it is now.

        The current link is read instead of the change's image, so a repeated or late change does
        no harm.
        """
        before, after = self._rows(change.old), self._rows(change.new)
        if before == after:
            return
        rows = self._rows(self._links.get(*change.link_key))
        self._batch.put_all(rows.values())
        for key in (before.keys() | after.keys()) - rows.keys():
            self._table.delete(*key)

    def _rows(self, link: Link | None) -> IndexRows:
        if link is None or not link.is_live:
            return {}
        pairs = (pair for pair in link.metadata.items() if _is_indexed(pair[0], self._keys))
        rows = (_index_row(link, pair) for pair in pairs)
        return {(row[PARTITION_KEY], row[SORT_KEY]): row for row in rows}


def metadata_partition(kind: Kind, tenant: str, pair: tuple[str, str]) -> str:
    """Return the index partition of a tenant's links that have this metadata key and value."""
    digest = hashlib.sha256("{}\0{}".format(*pair).encode()).hexdigest()
    return f"T#{tenant}#M#{SHORT_NAMES.get(kind, kind)}#{digest}"


def indexed_pair(metadata: Mapping[str, str], keys: Collection[str]) -> tuple[str, str]:
    """Return the first indexed key and value; raise InvalidRequest where no key is indexed."""
    for pair in metadata.items():
        if _is_indexed(pair[0], keys):
            return pair
    name = next(iter(metadata))
    raise InvalidRequest(
        f"Links cannot be found by metadata '{name}'. This gateway indexes: "
        f"{', '.join(keys) or 'no metadata'} ('metadata_index' in its configuration).",
        param=f"metadata[{name}]",
        code="metadata_not_indexed",
    )


def _is_indexed(key: str, keys: Collection[str]) -> bool:
    return ALL_KEYS in keys or key in keys


def _index_row(link: Link, pair: tuple[str, str]) -> Item:
    return {
        PARTITION_KEY: metadata_partition(link.kind, link.tenant, pair),
        SORT_KEY: link_sort_key(link),
        "id": link.id,
        TTL: link.expires_at,
    }


def _table_query(partition: str, query: LinkQuery) -> Query:
    low, high = query.sort_range
    return Query(partition=partition, low=low, high=high, is_descending=query.newest_first)


def _index_query(partition: str, query: LinkQuery, index: str) -> Query:
    """An index has all attributes of the links, so DynamoDB filters them."""
    return replace(
        _table_query(partition, query),
        index=index,
        filter_expression=query.filter_expression,
        values=query.filter_values,
    )


def _parse_links(query: LinkQuery, rows: list[Item]) -> list[Link]:
    return [link for link in map(link_of_row, rows) if query.matches(link)]


def _previous_key(sort: str) -> str:
    """Return a key just below a sort key."""
    return sort[:-1] + chr(ord(sort[-1]) - 1) + HIGHEST_CHAR


def _cut_page(links: list[Link], limit: int) -> Page:
    page = links[:limit]
    last_id = page[-1].id if page else None
    return Page(page, has_more=len(links) > limit, last_id=last_id)
