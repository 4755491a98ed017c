"""What a key and its tenant have used of their limits, for GET /limits and for operators."""

from collections import Counter as Sums
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from antiphon.auth import Caller
from antiphon.limits.counters import (
    IN_FLIGHT,
    MINUTE,
    REQUESTS,
    SPENT,
    TOKENS,
    LimitCounter,
    account_of,
    limit_counters,
    next_period,
)
from antiphon.pricing import NANO
from antiphon.settings.config import Limits
from antiphon.settings.table import PARTITION_KEY
from antiphon.store.dynamodb import Item, Table
from antiphon.store.moved_reservations import held_partition
from antiphon.store.reservations import (
    END_PREFIX,
    LIMITS_SORT,
    RESERVATION_PREFIX,
    Counts,
    difference,
    expired_reservations,
)
from antiphon.store.storage import STORED, Storage, StorageKey

type Scope = Literal["key", "tenant"]

NAMES = {REQUESTS: "rpm", TOKENS: "tpm", IN_FLIGHT: "streams", SPENT: "budget_usd"}


@dataclass(frozen=True)
class LimitUse:
    """A limit that counts, and how much of it is used; a budget is in US dollars."""

    name: str  # of the field of Limits
    scope: Scope
    maximum: float
    used: float  # with what is reserved
    renews_at: int | None = None  # epoch seconds; None: when something ends or is deleted

    @property
    def left(self) -> float:
        return max(self.maximum - self.used, 0)


@dataclass(frozen=True)
class LimitReport:
    """Reads what is counted now; raises Unavailable where the table does not answer."""

    table: Table
    now: float  # epoch seconds

    def read(
        self, tenant: str, key_id: str, limits: Limits, tenant_limits: Limits
    ) -> Iterator[LimitUse]:
        """Yield each limit that counts, of the key and of its tenant."""
        caller = Caller(tenant, key_id, limits=limits)
        account = account_of(caller, tenant_limits)
        counts = {} if account.row is None else self._read_counts(account.row)
        for counter in limit_counters(account.scopes, self.now):
            yield self._use(counter, counts.get(counter.name, 0))
        yield from self._stored("key", StorageKey(tenant, key_id), limits)
        yield from self._stored("tenant", StorageKey(tenant, None), tenant_limits)

    def _read_counts(self, partition: str) -> Counts:
        """Return the counters of a row without what has expired, with the ends that count later."""
        row = self.table.get(partition, LIMITS_SORT) or {}
        counts = Sums({name: value for name, value in row.items() if isinstance(value, int)})
        for expired in expired_reservations(row, self.now):
            if expired.end_name not in row:
                counts.subtract(expired.refund)
        for name in row:
            if name.startswith(END_PREFIX):
                counts.update(self._difference(row, name.removeprefix(END_PREFIX)))
        return counts

    def _difference(self, row: Item, id: str) -> Counts:
        """Return what the end of a reservation will add; nothing if it is closed already."""
        moved = held_partition(row[PARTITION_KEY])
        held = row.get(RESERVATION_PREFIX + id) or self.table.get(moved, id)
        return {} if held is None else difference(row[END_PREFIX + id]["back"], held["back"])

    def _use(self, counter: LimitCounter, used: int) -> LimitUse:
        scope: Scope = "tenant" if counter.scope.name == "tenant" else "key"
        unit = NANO if counter.kind == SPENT else 1
        maximum, used = max(counter.maximum, 0), max(used, 0)
        name = NAMES[counter.kind]
        if unit == 1:
            return LimitUse(name, scope, maximum, used, self._renews_at(counter))
        return LimitUse(name, scope, maximum / unit, used / unit, self._renews_at(counter))

    def _renews_at(self, counter: LimitCounter) -> int | None:
        if counter.kind == IN_FLIGHT:
            return None
        if counter.kind == SPENT:
            return int(next_period(counter.scope.limits.budget_period, self.now).timestamp())
        return int(self.now // MINUTE + 1) * MINUTE

    def _stored(self, scope: Scope, key: StorageKey, limits: Limits) -> Iterator[LimitUse]:
        maxima = {name: getattr(limits, f"max_{name}") for name in STORED}
        if all(maximum is None for maximum in maxima.values()):
            return
        row: Mapping[str, object] = self.table.get(key.partition, LIMITS_SORT) or {}
        counts = Storage.of_row(key, dict(row), self.now).counts
        for name, maximum in maxima.items():
            if maximum is not None:
                yield LimitUse(f"max_{name}", scope, maximum, counts[name])
