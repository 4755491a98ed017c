"""A caller's limits as counters of one row: what each counts, for whom, and what it may come to.

A counter's name tells whose it is, what it counts, and of which time. Minutes are those of the
clock, as are days and months, in UTC: at the turn of each the counting begins anew.

    key_1_r29384756   requests of a minute since 1970    key_1_n         responses in flight
    tenant_t29384756  tokens of that minute              key_1_u202611   nano-dollars of a month

A tenant that has limits of its own has one row, which its keys' counters stand in as well: all
that a request needs is one write, and needs no transaction, which would fail where callers meet.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import NamedTuple

from antiphon.auth import Caller
from antiphon.pricing import NANO
from antiphon.settings.config import UNLIMITED, Limits, Period
from antiphon.store.reservations import Counts, limits_partition

REQUESTS, TOKENS, IN_FLIGHT, SPENT = "r", "t", "n", "u"
MINUTE = 60
COUNTER = re.compile(r"(?P<scope>\w+)_(?P<kind>[rtnu])(?P<when>\d*)")
FORMATS: dict[Period, str] = {"day": "%Y%m%d", "month": "%Y%m"}
RECENT = {6: timedelta(days=32), 8: timedelta(days=2)}  # by the length of a month, of a day


class LimitScope(NamedTuple):
    """Whose limits they are: as a refusal says it, and as the names of counters begin."""

    whose: str
    name: str
    limits: Limits


class LimitAccount(NamedTuple):
    """Where a caller's requests are counted, and under which limits; None where nowhere."""

    row: str | None
    scopes: tuple[LimitScope, ...]


@dataclass(frozen=True, eq=False)
class LimitCounter:
    """One limit of one scope at one moment; it is a key of dictionaries by its identity."""

    scope: LimitScope
    kind: str
    when: str
    most: int

    @property
    def counter(self) -> str:
        return f"{self.scope.name}_{self.kind}{self.when}"


def account_of(caller: Caller, shared: Limits) -> LimitAccount:
    own = LimitScope("this key", re.sub(r"\W", "_", caller.key_id), caller.limits)
    tenants = LimitScope(f"the tenant '{caller.tenant}'", "tenant", shared)
    scopes = tuple(scope for scope in (tenants, own) if scope.limits != UNLIMITED)
    if _has_limits(shared):
        return LimitAccount(limits_partition(caller.tenant), scopes)
    if _has_limits(caller.limits):
        return LimitAccount(limits_partition(caller.tenant, caller.key_id), scopes)
    return LimitAccount(None, scopes)


def limit_counters(scopes: tuple[LimitScope, ...], now: float) -> Iterator[LimitCounter]:
    """In the order in which a refusal names them: first what takes longest to pass."""
    for kind in (SPENT, REQUESTS, TOKENS, IN_FLIGHT):
        for scope in scopes:
            limit = _limit(scope.limits, kind)
            if limit is not None:
                yield LimitCounter(scope, kind, _when(scope.limits, kind, now), limit)


def of_kinds(counts: Mapping[str, int], *kinds: str) -> dict[str, int]:
    return {counter: n for counter, n in counts.items() if _read(counter)[0] in kinds}


def corrections(
    counts: Mapping[str, int], spent: int | None, tokens: int | None, now: float
) -> Counts:
    """What to count for good where a request was counted with this; None is what it was."""
    money = {c: n if spent is None else spent for c, n in of_kinds(counts, SPENT).items()}
    if tokens is None:
        return money
    minute = str(int(now // MINUTE))
    over = {c: tokens - n for c, n in of_kinds(counts, TOKENS).items()}
    in_time = {c: n for c, n in over.items() if _read(c)[1] == minute}
    # What its minute has not seen counts now; what it has seen too much of is gone with it.
    late = {_at(c, minute): n for c, n in over.items() if c not in in_time and n > 0}
    return {**money, **in_time, **late}


def is_stale(counter: str, now: float) -> bool:
    """Whether a counter's time is over, be a neighbour's clock a little slow or not."""
    kind, when = _read(counter)
    if kind in (REQUESTS, TOKENS):
        return int(when) < now // MINUTE - 1
    if kind == SPENT and len(when) in RECENT:
        then = datetime.fromtimestamp(now, UTC) - RECENT[len(when)]
        return when < then.strftime("%Y%m%d")[: len(when)]
    return False


def next_period(period: Period, now: float) -> datetime:
    """When the next day or month begins."""
    today = datetime.fromtimestamp(now, UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    if period == "day":
        return today + timedelta(days=1)
    return (today.replace(day=1) + timedelta(days=32)).replace(day=1)


def _read(counter: str) -> tuple[str, str]:
    """Kind and time of a counter."""
    found = COUNTER.fullmatch(counter)
    return (found["kind"], found["when"]) if found else ("", "")


def _at(counter: str, minute: str) -> str:
    return f"{counter.rpartition(TOKENS)[0]}{TOKENS}{minute}"


def _has_limits(limits: Limits) -> bool:
    return any(_limit(limits, kind) is not None for kind in (REQUESTS, TOKENS, IN_FLIGHT, SPENT))


def _limit(limits: Limits, kind: str) -> int | None:
    if kind == SPENT:
        budget = limits.budget_usd
        return None if budget is None else int(Decimal(str(budget)) * NANO)
    return {REQUESTS: limits.rpm, TOKENS: limits.tpm, IN_FLIGHT: limits.streams}[kind]


def _when(limits: Limits, kind: str, now: float) -> str:
    """The time that a counter is of: none for what is in flight, whenever it began."""
    if kind == SPENT:
        return datetime.fromtimestamp(now, UTC).strftime(FORMATS[limits.budget_period])
    return "" if kind == IN_FLIGHT else str(int(now // MINUTE))
