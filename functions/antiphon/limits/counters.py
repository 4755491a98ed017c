"""The limits of a caller as counters of one row.

The name of a counter is the name of its scope, its kind and its time window:

    key_1_r29384756   requests in one minute, counted from 1970
    tenant_t29384756  tokens in that minute
    key_1_n           responses in flight; it has no window
    key_1_u202611     nano-dollars in a month, or in a day

Windows are minutes, days and months of the clock in UTC. All counters that a request needs are in
one row, see docs/decisions/0008-one-row-for-what-counts.md.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import NamedTuple, Self

from antiphon.auth import Caller
from antiphon.pricing import NANO
from antiphon.settings.config import UNLIMITED, Limits
from antiphon.settings.section import Period
from antiphon.store.reservations import Counts, limits_partition

REQUESTS, TOKENS, IN_FLIGHT, SPENT = "r", "t", "n", "u"  # kinds of counters
MINUTE = 60  # seconds
WINDOW_FORMATS: dict[Period, str] = {"day": "%Y%m%d", "month": "%Y%m"}
MONTH_LENGTH, DAY_LENGTH = 6, 8  # characters of a formatted window
STALE_AFTER = {MONTH_LENGTH: timedelta(days=32), DAY_LENGTH: timedelta(days=2)}
COUNTER_NAME = re.compile(r"(?P<scope>\w+)_(?P<kind>[rtnu])(?P<window>\d*)")

type Amounts = Mapping[Counter, int]


class Counter(NamedTuple):
    scope: str
    kind: str
    window: str

    @property
    def name(self) -> str:
        """The attribute of the row."""
        return f"{self.scope}_{self.kind}{self.window}"

    @classmethod
    def parse(cls, name: str) -> Self | None:
        """Return the counter that has this name; None for another attribute."""
        match = COUNTER_NAME.fullmatch(name)
        return None if match is None else cls(**match.groupdict())

    def is_stale(self, now: float) -> bool:
        """Whether its window has ended, also by a clock that is a little slow."""
        if self.kind in (REQUESTS, TOKENS):
            return int(self.window) < now // MINUTE - 1
        if self.kind == SPENT and len(self.window) in STALE_AFTER:
            oldest = datetime.fromtimestamp(now, UTC) - STALE_AFTER[len(self.window)]
            return self.window < oldest.strftime("%Y%m%d")[: len(self.window)]
        return False


class LimitScope(NamedTuple):
    """A key or a tenant with its limits."""

    label: str  # for messages to the caller
    name: str  # first part of the names of its counters
    limits: Limits


class LimitAccount(NamedTuple):
    """The row that counts a caller's requests, and its scopes; without counters the row is None."""

    row: str | None
    scopes: tuple[LimitScope, ...]


@dataclass(frozen=True, eq=False)
class LimitCounter:
    """A counter with its maximum. It is compared by identity, which makes a fast dictionary key."""

    scope: LimitScope
    counter: Counter
    kind: str
    name: str  # of the counter
    maximum: int


def account_of(caller: Caller, tenant_limits: Limits) -> LimitAccount:
    """Return the tenant's row if the tenant has counters, else the row of the key."""
    key = LimitScope("this key", re.sub(r"\W", "_", caller.key_id), caller.limits)
    tenant = LimitScope(f"the tenant '{caller.tenant}'", "tenant", tenant_limits)
    scopes = tuple(scope for scope in (tenant, key) if scope.limits != UNLIMITED)
    if _has_counters(tenant_limits):
        return LimitAccount(limits_partition(caller.tenant), scopes)
    if _has_counters(caller.limits):
        return LimitAccount(limits_partition(caller.tenant, caller.key_id), scopes)
    return LimitAccount(None, scopes)


def limit_counters(scopes: Iterable[LimitScope], now: float) -> Iterator[LimitCounter]:
    """Yield all counters of the scopes; an error names the first one that is exceeded.

    So the limit with the longest time to wait comes first.
    """
    for kind in (SPENT, REQUESTS, TOKENS, IN_FLIGHT):
        for scope in scopes:
            maximum = _maximum(scope.limits, kind)
            if maximum is not None:
                counter = Counter(scope.name, kind, _window(scope.limits, kind, now))
                yield LimitCounter(scope, counter, kind, counter.name, maximum)


def of_kinds(amounts: Amounts, *kinds: str) -> Amounts:
    return {counter: amount for counter, amount in amounts.items() if counter.kind in kinds}


def corrections(
    reserved: Amounts, cost: int | None, tokens: int | None, now: float
) -> dict[Counter, int]:
    """Return what replaces the reserved cost, and what to add to the counters of tokens.

    `cost` (nano-dollars) and `tokens` are the real usage; None leaves the reserved amount.
    """
    costs = {
        counter: amount if cost is None else cost
        for counter, amount in of_kinds(reserved, SPENT).items()
    }
    if tokens is None:
        return costs
    minute = str(int(now // MINUTE))
    differences = {c: tokens - amount for c, amount in of_kinds(reserved, TOKENS).items()}
    current = {c: n for c, n in differences.items() if c.window == minute}
    # Tokens above the estimate count in the current minute. Tokens that a past minute counted too
    # high need no correction: that minute limits nothing any more.
    late = {
        counter._replace(window=minute): n
        for counter, n in differences.items()
        if counter not in current and n > 0
    }
    return {**costs, **current, **late}


def to_counts(amounts: Amounts) -> Counts:
    return {counter.name: amount for counter, amount in amounts.items()}


def from_counts(counts: Counts) -> Amounts:
    """Parse the names of counters; other names are left out."""
    parsed = ((Counter.parse(name), amount) for name, amount in counts.items())
    return {counter: amount for counter, amount in parsed if counter is not None}


def is_stale(name: str, now: float) -> bool:
    """Whether an attribute of a row is a counter with a window that has ended."""
    counter = Counter.parse(name)
    return counter is not None and counter.is_stale(now)


def next_period(period: Period, now: float) -> datetime:
    """Return when the next day or month begins, in UTC."""
    today = datetime.fromtimestamp(now, UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    if period == "day":
        return today + timedelta(days=1)
    return (today.replace(day=1) + timedelta(days=32)).replace(day=1)


def _has_counters(limits: Limits) -> bool:
    kinds = (REQUESTS, TOKENS, IN_FLIGHT, SPENT)
    return any(_maximum(limits, kind) is not None for kind in kinds)


def _maximum(limits: Limits, kind: str) -> int | None:
    if kind == SPENT:
        budget = limits.budget_usd
        return None if budget is None else int(Decimal(str(budget)) * NANO)
    return {REQUESTS: limits.rpm, TOKENS: limits.tpm, IN_FLIGHT: limits.streams}[kind]


def _window(limits: Limits, kind: str, now: float) -> str:
    if kind == SPENT:
        return datetime.fromtimestamp(now, UTC).strftime(WINDOW_FORMATS[limits.budget_period])
    return "" if kind == IN_FLIGHT else str(int(now // MINUTE))
