"""Announces the end of each response and each batch once: see decision 42.

A mark beside the link says that its end was announced. It is written after the announcement, so a
process that ends in between announces again, with the same id; nothing is lost.
docs/decisions/0042-an-event-when-a-response-ends.md
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import batched

from antiphon.rollup.counting import MARKER_EXTRA_SECONDS
from antiphon.rollup.endings import describe_end, is_end
from antiphon.settings.table import TTL
from antiphon.store.dynamodb import Table, Update
from antiphon.store.event_bus import MAX_EVENTS, EventBus
from antiphon.store.links import Link, LinkChange, Links, link_partition
from antiphon.store.queue import BusEvent, PublishEvent, Queue
from antiphon.store.usage import CostFunction

MARK_SORT = "ANNOUNCED"


@dataclass(frozen=True)
class Announcer:
    """Collects the ends in one batch of changes, and announces them together.

    Every method raises Unavailable; then Lambda delivers the batch again. Without a bus, nothing is
    read and nothing is written.
    """

    links: Links
    table: Table
    queue: Queue
    cost: CostFunction
    bus: EventBus | None = None
    _ended: dict[tuple[str, ...], Link] = field(default_factory=dict)

    def apply(self, change: LinkChange) -> None:
        """Note an end that is not announced yet."""
        link = change.new
        if self.bus is None or link is None or not is_end(change):
            return
        if self.table.get(_partition(link), MARK_SORT) is None:
            self._ended[change.link_key] = link

    def flush(self) -> None:
        """Announce all ends, and mark them; what the bus does not take goes to the queue."""
        ended = [*self._ended.values()]
        self._ended.clear()
        if self.bus is None or not ended:
            return
        self._publish(self.bus, map(self._describe, ended))
        for link in ended:
            self.table.update(_mark(link), return_all=False)

    def _describe(self, link: Link) -> BusEvent:
        """Describe an end; what a batch has used is in a row of its own."""
        is_batch = link.kind == "batch"
        metered = self.links.find("compaction", link.tenant, link.id) if is_batch else link
        return describe_end(link, metered, self.cost)

    def _publish(self, bus: EventBus, events: Iterable[BusEvent]) -> None:
        for group in batched(events, MAX_EVENTS, strict=False):
            for refused in bus.put(group):
                self.queue.send(PublishEvent(event=refused))


def _mark(link: Link) -> Update:
    return Update(
        partition=_partition(link),
        sort=MARK_SORT,
        sets={TTL: link.expires_at + MARKER_EXTRA_SECONDS},
    )


def _partition(link: Link) -> str:
    return link_partition(link.kind, link.tenant, link.id)
