"""Pages of links: in the order they were made, by metadata, or by the tree they belong to."""

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from functools import partial

from antiphon.settings.table import SORT_KEY
from antiphon.store import metadata
from antiphon.store.asked import Asked, place_of
from antiphon.store.batch import Batch
from antiphon.store.links import LETTERS, SORT, Kind, Link, Links, link_of, partition
from antiphon.store.table import Query, Table
from antiphon.store.values import Item

GROWTH = 4  # each further read for one page is so many times as long as the one before
LONGEST_READ = 500  # rows; DynamoDB itself stops at 1 MB
MOST_ROWS = 10_000  # read for one page

type Fitting = Callable[[list[Item]], list[Link]]  # the links behind rows, as far as they fit


@dataclass(frozen=True)
class Page:
    """Some links, and whether there are more; `last_id` is what to ask for next by."""

    links: list[Link]
    has_more: bool = False
    last_id: str | None = None


class Listing:
    """Reads one partition that has the tenant in its key; never scans.

    A page is one read where nothing has to be passed over. A page for which more than MOST_ROWS
    would have to be read ends early: `has_more` is true then, `last_id` is that of the last link
    looked at, and the page may hold fewer links than asked for, or none. The indexes lag behind
    the links for a moment. Raise Unavailable where the table does not answer.
    """

    def __init__(self, table: Table, batch: Batch, keys: Collection[str]) -> None:
        self._table = table
        self._batch = batch
        self._links = Links(table)
        self._keys = keys  # of metadata, that are indexed

    def page(self, kind: Kind, tenant: str, asked: Asked) -> Page:
        """Links of one kind; raise InvalidRequest for metadata that is not indexed."""
        alive = partial(self._links.get, kind, tenant)
        if not asked.metadata:
            index = _query(f"T#{tenant}#{LETTERS[kind]}", asked, "by_time")
            return self._filled(index, asked, _whole, alive)
        pair = metadata.indexed(asked.metadata, self._keys)
        rows = _query(metadata.partition(kind, tenant, pair), asked)
        return self._filled(rows, asked, partial(self._looked_up, kind, tenant, asked), alive)

    def tree(self, link: Link, asked: Asked) -> Page:
        """All that grew from the root of a link, conversation and responses."""

        def alive(id: str) -> Link | None:
            found = (self._links.get(kind, link.tenant, id) for kind in LETTERS)
            return next(filter(None, found), None)

        index = _query(f"T#{link.tenant}#{link.root}", asked, "by_root")
        return self._filled(index, asked, _whole, alive)

    def _filled(
        self, query: Query, asked: Asked, fitting: Fitting, alive: Callable[[str], Link | None]
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
            if rows >= MOST_ROWS and alive(last_id):  # else nobody could ask for what follows it
                return Page(found, has_more=True, last_id=last_id)
            size = min(size * GROWTH, LONGEST_READ)

    def _looked_up(self, kind: Kind, tenant: str, asked: Asked, rows: list[Item]) -> list[Link]:
        """The links that index rows name, in their order, where the index still tells the truth."""
        keys = dict.fromkeys((partition(kind, tenant, row["id"]), SORT) for row in rows)
        links = {link.id: link for link in map(link_of, self._batch.get_all(keys))}
        named = ((row[SORT_KEY], links.get(row["id"])) for row in rows)
        return [
            link
            for place, link in named
            if link is not None and place_of(link) == place and asked.fits(link)
        ]


def _query(owner: str, asked: Asked, index: str | None = None) -> Query:
    low, high = asked.span
    found = Query(partition=owner, low=low, high=high, backwards=asked.newest_first)
    if index is None:
        return found
    return replace(found, index=index, where=asked.where, values=asked.values)


def _whole(rows: list[Item]) -> list[Link]:
    """An index that carries the links themselves, and passed over those that do not fit."""
    return [link_of(row) for row in rows]


def _page(found: list[Link], limit: int) -> Page:
    links = found[:limit]
    last_id = links[-1].id if links else None
    return Page(links, has_more=len(found) > limit, last_id=last_id)
