"""The webhook endpoints of tenants: all of a tenant are in one row.

So the rollup function finds them by one read, and their number has a limit without a counter. No
secret is in the row: see antiphon.store.webhook_secrets.
"""

import random
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace

from antiphon.errors import StorageLimitReached, Unavailable
from antiphon.settings.table import PARTITION_KEY, SORT_KEY
from antiphon.store.dynamodb import ConditionFailed, Item, Table

ENDPOINTS_SORT = "ENDPOINTS"
MAX_ATTEMPTS = 10  # of a change, where others change the same row
# The longest pause before the second attempt, which doubles for each next one up to a maximum. Each
# pause is of random length, so that those who change the row do not all read it at the same time.
# https://aws.amazon.com/builders-library/timeouts-retries-and-backoff-with-jitter/
PAUSE_SECONDS, MAX_PAUSE_SECONDS = 0.05, 0.5
BUSY = "The webhook endpoints of your tenant are being changed by others. Try again."


@dataclass(frozen=True, kw_only=True)
class WebhookEndpoint:
    """One endpoint; times are epoch seconds. Fields are what the row has of it."""

    id: str
    name: str
    url: str
    event_types: tuple[str, ...]
    created_at: int
    updated_at: int
    signing_secret_hint: str
    generation: int = 1  # of its secret: each rotation makes the next one
    old_secret_until: int | None = (
        None  # when the secret before this one ends, if it is still valid
    )
    disabled_at: int | None = None  # when the endpoint answered that it is gone

    def wants(self, event_type: str) -> bool:
        return self.disabled_at is None and event_type in self.event_types

    def generations_at(self, now: float) -> Sequence[int]:
        """Return the generations of the secrets that are valid, the newest first."""
        is_old_valid = self.old_secret_until is not None and now < self.old_secret_until
        return (self.generation, self.generation - 1) if is_old_valid else (self.generation,)


type Edit = Callable[[list[WebhookEndpoint]], list[WebhookEndpoint]]


@dataclass(frozen=True)
class WebhookEndpoints:
    """Raise Unavailable where the table does not answer."""

    table: Table
    max_endpoints: int  # of each tenant
    clock: Callable[[], float] = time.time
    sleep: Callable[[float], None] = time.sleep

    def read(self, tenant: str) -> list[WebhookEndpoint]:
        """Return the endpoints of a tenant, the newest first."""
        return _from_row(self._row(tenant))[::-1]

    def find(self, tenant: str, id: str) -> WebhookEndpoint | None:
        return next((each for each in self.read(tenant) if each.id == id), None)

    def add(self, tenant: str, endpoint: WebhookEndpoint) -> None:
        """Raise StorageLimitReached where the tenant has as many as it may have."""
        self._edit(tenant, lambda endpoints: [*self._with_room(endpoints), endpoint])

    def change(
        self, tenant: str, id: str, change: Callable[[WebhookEndpoint], WebhookEndpoint]
    ) -> WebhookEndpoint | None:
        """Return the endpoint after a change; None where there is none."""
        edited = self._edit(
            tenant, lambda endpoints: [change(e) if e.id == id else e for e in endpoints]
        )
        return next((each for each in edited if each.id == id), None)

    def disable(self, tenant: str, id: str) -> None:
        """Send nothing to an endpoint any more, until its owner changes it."""
        now = int(self.clock())
        self.change(tenant, id, lambda endpoint: replace(endpoint, disabled_at=now))

    def remove(self, tenant: str, id: str) -> None:
        self._edit(tenant, lambda endpoints: [each for each in endpoints if each.id != id])

    def _with_room(self, endpoints: list[WebhookEndpoint]) -> list[WebhookEndpoint]:
        if len(endpoints) >= self.max_endpoints:
            raise StorageLimitReached(
                f"Your tenant has {len(endpoints)} webhook endpoints, and no more are allowed. "
                "Delete one first."
            )
        return endpoints

    def _edit(self, tenant: str, edit: Edit) -> list[WebhookEndpoint]:
        """Change the row as it is, and not as it was: others may change it at the same time."""
        for attempt in range(MAX_ATTEMPTS):
            if attempt:
                longest = min(PAUSE_SECONDS * 2 ** (attempt - 1), MAX_PAUSE_SECONDS)
                self.sleep(random.uniform(0, longest))  # noqa: S311
            row = self._row(tenant)
            before = _from_row(row)
            after = edit(before)
            if after == before or self._write(tenant, row, after):
                return after
        raise Unavailable(BUSY)

    def _write(self, tenant: str, row: Item | None, endpoints: list[WebhookEndpoint]) -> bool:
        version = uuid.uuid4().hex
        item = {
            PARTITION_KEY: endpoints_partition(tenant),
            SORT_KEY: ENDPOINTS_SORT,
            "version": version,
            "endpoints": [_without_none(endpoint) for endpoint in endpoints],
        }
        only_if = "attribute_not_exists(version)" if row is None else "version = :known"
        known = {} if row is None else {"known": row["version"]}
        try:
            self.table.put(
                item, only_if, is_ours=lambda found: found["version"] == version, **known
            )
        except ConditionFailed:
            return False
        return True

    def _row(self, tenant: str) -> Item | None:
        return self.table.get(endpoints_partition(tenant), ENDPOINTS_SORT)


def endpoints_partition(tenant: str) -> str:
    return f"T#{tenant}#W"


def _from_row(row: Item | None) -> list[WebhookEndpoint]:
    found = [] if row is None else row["endpoints"]
    return [
        WebhookEndpoint(**{**each, "event_types": tuple(each["event_types"])}) for each in found
    ]


def _without_none(endpoint: WebhookEndpoint) -> Item:
    return {name: value for name, value in asdict(endpoint).items() if value is not None}
