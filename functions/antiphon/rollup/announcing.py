"""Announces the end of each response, batch and vector store once: see decision 42.

To the bus of EventBridge, and to the webhook endpoints of its tenant: either, both, or neither. A
mark beside the link says that its end was announced. It is written after the announcement, so a
process that ends in between announces again, with the same id; nothing is lost.
docs/decisions/0042-an-event-when-a-response-ends.md
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import batched

from antiphon.rollup.counting import MARKER_EXTRA_SECONDS
from antiphon.rollup.endings import describe_end, is_end, webhook_event
from antiphon.settings.table import TTL
from antiphon.store.dynamodb import Table, Update
from antiphon.store.event_bus import MAX_EVENTS, EventBus
from antiphon.store.links import Link, LinkChange, Links, link_partition
from antiphon.store.queue import BusEvent, DeliverWebhook, PublishEvent, Queue
from antiphon.store.usage import CostFunction
from antiphon.store.webhook_endpoints import WebhookEndpoint, WebhookEndpoints

MARK_SORT = "ANNOUNCED"


@dataclass(frozen=True)
class Announcer:
    """Collects the ends in one batch of changes, and announces them together.

    Every method raises Unavailable; then Lambda delivers the batch again. Without a bus and
    webhooks, nothing is read and nothing is written.
    """

    links: Links
    table: Table
    queue: Queue
    cost: CostFunction
    bus: EventBus | None = None
    webhooks: WebhookEndpoints | None = None
    _ended: dict[tuple[str, ...], Link] = field(default_factory=dict)

    def apply(self, change: LinkChange) -> None:
        """Note an end that is not announced yet."""
        link = change.new
        if self._is_off or link is None or not is_end(change):
            return
        if self.table.get(_partition(link), MARK_SORT) is None:
            self._ended[change.link_key] = link

    def flush(self) -> None:
        """Announce all ends, and mark them; what the bus does not take goes to the queue."""
        ended = [*self._ended.values()]
        self._ended.clear()
        if self.bus is not None:
            self._publish(self.bus, map(self._describe, ended))
        if self.webhooks is not None:
            ended = self._queue_webhooks(self.webhooks, ended)
        for link in ended:
            self.table.update(_mark(link), return_all=False)

    @property
    def _is_off(self) -> bool:
        return self.bus is None and self.webhooks is None

    def _queue_webhooks(self, webhooks: WebhookEndpoints, ended: list[Link]) -> list[Link]:
        """Queue one message for each endpoint that wants an end; return what is announced now."""
        endpoints = {tenant: webhooks.read(tenant) for tenant in {link.tenant for link in ended}}
        announced = [link for link in ended if self._queue_webhook(link, endpoints[link.tenant])]
        return announced if self.bus is None else ended

    def _queue_webhook(self, link: Link, endpoints: Iterable[WebhookEndpoint]) -> bool:
        event = webhook_event(link)
        wanting = [each for each in endpoints if each.wants(event.type)]
        for each in wanting:
            self.queue.send(DeliverWebhook(link.tenant, each.id, event))
        return bool(wanting)

    def _describe(self, link: Link) -> BusEvent:
        """Describe an end; what a batch has used is in a row of its own, a store uses nothing."""
        metered = link if link.kind == "response" else None
        if link.kind == "batch":
            metered = self.links.find("compaction", link.tenant, link.id)
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
