"""Counts what the table's stream did not count: compares links with the marks beside them.

Only operators use it; no function does. Links are found in the index that lists those of a tenant,
so nothing is scanned. A link that has expired is not found any more.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Self

from antiphon.pricing import CostEstimator, Prices
from antiphon.rollup.counting import LinkCounter
from antiphon.rollup.storage import StorageRollup
from antiphon.rollup.usage import UsageRollup
from antiphon.settings.config import Config
from antiphon.settings.table import PARTITION_KEY, SORT_KEY
from antiphon.store.dynamodb import BatchTable, Item, Table
from antiphon.store.links import (
    Kind,
    Link,
    LinkChange,
    Links,
    link_of_row,
    time_partition,
)
from antiphon.store.listings import HIGHEST_SORT
from antiphon.store.queries import Query
from antiphon.store.storage import StorageRows

COUNTED_KINDS: tuple[Kind, ...] = ("response", "compaction", "container", "file", "vector_store")
HOUR = 3600
READ_ROWS = 500  # in one query
NOT_POLLED = "not polled"  # why an outcome is unknown; its change has the response polled


@dataclass(frozen=True)
class LinkPage:
    """Some links of a tenant, and what was not done for them."""

    size: int
    uncounted: Sequence[tuple[LinkCounter, Link]]
    unpolled: Sequence[Link]


@dataclass(frozen=True)
class Recount:
    """Every method raises Unavailable where the table does not answer."""

    table: Table
    batch: BatchTable
    counters: Sequence[LinkCounter]
    poll_seconds: float  # after its creation, until which a response may be polled
    clock: Callable[[], float] = time.time  # epoch seconds

    @classmethod
    def from_config(cls, table: Table, batch: BatchTable, config: Config) -> Self:
        """Count as the rollup function does, at the prices of a configuration."""
        costs = CostEstimator(Prices(config.prices), config.targets)
        sums = (UsageRollup(costs.cost), StorageRollup(StorageRows(table)))
        poll_seconds = (config.gateway.settle_hours + 1) * HOUR  # the last poll takes a while
        return cls(table, batch, [LinkCounter(table, each) for each in sums], poll_seconds)

    def pages(self, tenant: str, since: float) -> Iterator[LinkPage]:
        """Yield the links that a tenant has made since then (epoch seconds); change nothing."""
        for kind in COUNTED_KINDS:
            low = f"{int(since * 1000):013d}"
            partition = time_partition(kind, tenant)
            query = Query(partition=partition, low=low, high=HIGHEST_SORT, index="by_time")
            for rows in self._read(query):
                yield self._check([link_of_row(row) for row in rows])

    def repair(self, page: LinkPage) -> None:
        """Count what is not counted, and have polled what is not polled.

        Repeated, or while the stream is counted as well, it counts nothing twice.
        """
        for counter, link in page.uncounted:
            counter.apply(LinkChange(None, link))
        for link in page.unpolled:
            Links(self.table).change(link, unfinished=NOT_POLLED)

    def _read(self, query: Query) -> Iterator[list[Item]]:
        page = self.table.query(query, READ_ROWS)
        yield page.items
        while page.next is not None:
            page = self.table.query(query, READ_ROWS, page.next)
            yield page.items

    def _check(self, links: Sequence[Link]) -> LinkPage:
        pairs = [(each, link) for link in links for each in self.counters if each.counts(link)]
        keys = [counter.marker_key(link) for counter, link in pairs]
        marks = {(row[PARTITION_KEY], row[SORT_KEY]): row for row in self.batch.get_all(keys)}
        uncounted = [
            (counter, link)
            for (counter, link), key in zip(pairs, keys, strict=True)
            if not counter.is_counted(link, marks.get(key))
        ]
        return LinkPage(len(links), uncounted, [*filter(self._is_unpolled, links)])

    def _is_unpolled(self, link: Link) -> bool:
        """Whether the outcome is open for longer than any response is polled."""
        if not link.is_open or link.deleted_at is not None or link.unfinished == NOT_POLLED:
            return False
        return link.created_at + self.poll_seconds < self.clock()
