"""What became of each delivery to a webhook endpoint: one row each, for 30 days.

Neither what was sent nor what the receiver answered is in it, except for the status.
"""

import re
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Literal, NamedTuple

from antiphon.settings.table import SORT_KEY, TTL
from antiphon.store.dynamodb import Item, Table, Update
from antiphon.store.queries import Query
from antiphon.store.queue import WebhookEvent
from antiphon.store.webhook_endpoints import endpoints_partition

KEEP_SECONDS = 30 * 86_400
EVENT_PREFIX, ID_PREFIX = "evt_", "whd_"
ID_PATTERN = re.compile(r"whd_[0-9]{10}[0-9a-f]{32}")
LAST = "~"  # after all sort keys

type DeliveryStatus = Literal["pending", "delivered", "failed"]


@dataclass(frozen=True, kw_only=True)
class Attempted:
    """A delivery after an attempt; times are epoch seconds. Fields are attributes of the row."""

    status: DeliveryStatus
    attempts: int
    last_attempt_at: int | None = None
    last_status_code: int | None = None  # that the receiver answered
    last_error: str | None = None  # why there is no status
    next_attempt_at: int | None = None


@dataclass(frozen=True)
class Delivery:
    id: str
    event: WebhookEvent
    state: Attempted


class DeliveryPage(NamedTuple):
    deliveries: list[Delivery]
    has_more: bool


@dataclass(frozen=True)
class WebhookDeliveries:
    """Raise Unavailable where the table does not answer."""

    table: Table
    clock: Callable[[], float] = time.time

    def record(self, tenant: str, endpoint: str, event: WebhookEvent, state: Attempted) -> None:
        """Replace what is known about a delivery."""
        values = asdict(state)
        update = Update(
            partition=_partition(tenant, endpoint),
            sort=_sort(event),
            sets={
                **{f"event_{name}": value for name, value in asdict(event).items()},
                **{name: value for name, value in values.items() if value is not None},
                TTL: int(self.clock()) + KEEP_SECONDS,
            },
            removes=[name for name, value in values.items() if value is None],
        )
        self.table.update(update, return_all=False)

    def find(self, tenant: str, endpoint: str, event: WebhookEvent) -> Attempted | None:
        row = self.table.get(_partition(tenant, endpoint), _sort(event))
        return None if row is None else _delivery(row).state

    def exists(self, tenant: str, endpoint: str, id: str) -> bool:
        """Whether there is a delivery with this id, which may be malformed."""
        if not ID_PATTERN.fullmatch(id):
            return False
        return self.table.get(_partition(tenant, endpoint), id.removeprefix(ID_PREFIX)) is not None

    def read(self, tenant: str, endpoint: str, limit: int, after: str | None) -> DeliveryPage:
        """Return the newest deliveries, or those after a delivery, by the time of their event."""
        high = LAST if after is None else after.removeprefix(ID_PREFIX)
        query = Query(
            partition=_partition(tenant, endpoint), low="0", high=high, is_descending=True
        )
        rows = self.table.query(query, limit + 2).items  # both ends of the range are in it
        now = self.clock()
        found = [_delivery(row) for row in rows if row[TTL] > now and row[SORT_KEY] != high]
        return DeliveryPage(found[:limit], len(found) > limit)


def _partition(tenant: str, endpoint: str) -> str:
    return f"{endpoints_partition(tenant)}#{endpoint}"


def _sort(event: WebhookEvent) -> str:
    return f"{event.created_at:010d}{event.id.removeprefix(EVENT_PREFIX)}"


def _delivery(row: Item) -> Delivery:
    event = WebhookEvent(
        row["event_id"], row["event_type"], row["event_object_id"], row["event_created_at"]
    )
    names = Attempted.__dataclass_fields__
    state = Attempted(**{name: row[name] for name in names if name in row})
    return Delivery(ID_PREFIX + row[SORT_KEY], event, state)
