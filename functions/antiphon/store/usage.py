"""Usage sums: one row for each day, model, target and key of a tenant, and what a response adds.

The sums never expire. Those of a tenant are in one partition, sorted by day, so that a report of
any length is one query. Operators read the sums of all tenants from a partition of the index
`by_time` that has no tenant in its key; no function may read it.
"""

import hashlib
import json
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from urllib.parse import quote

from antiphon.observability import metrics
from antiphon.settings.metrics import CACHED_TOKENS, COST, INPUT_TOKENS, OUTPUT_TOKENS, UNPRICED
from antiphon.store.containers import container_minutes
from antiphon.store.dynamodb import Item, Table, Update
from antiphon.store.links import Link
from antiphon.store.queries import Query

END_NAMES = ("completed", "failed", "incomplete", "cancelled", "unknown")
TOKENS = {  # the counter of each number, and its path in a provider's `usage`
    "input_tokens": ("input_tokens",),
    "cached_tokens": ("input_tokens_details", "cached_tokens"),
    "cache_write_tokens": ("input_tokens_details", "cache_write_tokens"),
    "output_tokens": ("output_tokens",),
    "reasoning_tokens": ("output_tokens_details", "reasoning_tokens"),
    "total_tokens": ("total_tokens",),
}
PICO = Decimal(10**12)
# An integer, so that sums are exact: the price of one token has up to ten decimal places.
COST_PICODOLLARS = "cost_picodollars"
UNMETERED_RESPONSES, UNPRICED_RESPONSES = "unmetered", "unpriced"
CONTAINER_MINUTES = "estimated_container_minutes"
COUNTS = (  # all counters of a sum
    "requests",
    *END_NAMES,
    UNMETERED_RESPONSES,
    UNPRICED_RESPONSES,
    *TOKENS,
    COST_PICODOLLARS,
    CONTAINER_MINUTES,
)
USAGE_METRICS = {
    "input_tokens": INPUT_TOKENS,
    "cached_tokens": CACHED_TOKENS,
    "output_tokens": OUTPUT_TOKENS,
    UNPRICED_RESPONSES: UNPRICED,
}
UNNAMED_MODEL = "unnamed"  # CloudWatch refuses an empty dimension value
ALL_TENANTS = "USAGE"  # the partition of the index `by_time` that has the sums of all tenants
AFTER_DAY = "$"  # follows "#", which separates the day from the rest of a sort key
MAX_MODEL_KEY_CHARS = 400  # of a model's name in a sort key, which has at most 1,024 bytes
READ_ROWS = 1000  # in one query; DynamoDB itself stops at 1 MB

type CostFunction = Callable[[Link], Decimal | None]  # US dollars; None where no price is known


@dataclass(frozen=True, order=True)
class UsageKey:
    """Which sum a response is added to; the day (UTC) is that of its creation."""

    tenant: str
    day: str  # 2026-11-22
    model: str  # the requested one, else the provider's name for it, else empty
    target: str
    key_id: str

    @classmethod
    def of(cls, link: Link) -> "UsageKey":
        day = datetime.fromtimestamp(link.created_at, UTC).date().isoformat()
        model = link.model or link.upstream_model or ""
        return cls(link.tenant, day, model, link.target, link.key_id)


KEY_FIELDS = tuple(f.name for f in fields(UsageKey))


@dataclass(frozen=True)
class UsageSum:
    """The usage of some responses; a field that is None covers all its values."""

    day: str | None
    model: str | None
    target: str | None
    key_id: str | None
    tenant: str | None
    counts: Mapping[str, int]  # has all of COUNTS

    @property
    def cost(self) -> Decimal:
        """US dollars."""
        return Decimal(self.counts[COST_PICODOLLARS]) / PICO

    @property
    def dollars(self) -> str:
        """The exact cost in US dollars, without an exponent: 0.00225."""
        return picodollars_as_text(self.counts[COST_PICODOLLARS])


ZERO_SUM = UsageSum(None, None, None, None, None, dict.fromkeys(COUNTS, 0))


class UsageSums:
    """Reads sums; days are like 2026-11-22, and both ends of a range are included.

    Every method raises Unavailable where the table does not answer.
    """

    def __init__(self, table: Table) -> None:
        self._table = table

    def read_tenant(self, tenant: str, first: str, last: str) -> Iterator[UsageSum]:
        """Yield the sums of one tenant by day."""
        partition = usage_partition(tenant)
        return self._read(Query(partition=partition, low=first, high=last + AFTER_DAY))

    def read_all(self, first: str, last: str) -> Iterator[UsageSum]:
        """Yield the sums of all tenants by day; the index may lag by a second."""
        return self._read(
            Query(partition=ALL_TENANTS, low=first, high=last + AFTER_DAY, index="by_time"),
        )

    def _read(self, query: Query) -> Iterator[UsageSum]:
        start: Item | None = None
        while True:
            page = self._table.query(query, READ_ROWS, start)
            yield from map(_sum_of_row, page.items)
            start = page.next
            if start is None:
                return


COUNTED_KINDS = {"response", "compaction"}


def picodollars_as_text(amount: int) -> str:
    """Return the exact amount in US dollars, without an exponent: 0.00225."""
    return format((Decimal(amount) / PICO).normalize(), "f")


def usage_fingerprint(link: Link | None) -> str | None:
    """Return everything that determines a link's counts except prices, which may change.

    None while the outcome is open.
    """
    if link is not None and link.kind == "container":  # an adopted one has no key
        return json.dumps([container_minutes(link)]) if link.key_id else None
    if link is None or link.kind not in COUNTED_KINDS or link.alias_of or not _is_countable(link):
        return None
    return json.dumps(
        [_end_name(link), _token_counts(link.usage), link.upstream_model, link.service_tier]
    )


def usage_counts(link: Link, cost: CostFunction) -> dict[str, int]:
    """Return what a response or a container adds to its sum: the counters that are not 0."""
    if link.kind == "container":
        return {CONTAINER_MINUTES: container_minutes(link)}
    tokens = _token_counts(link.usage)
    counts = {"requests": 1, _end_name(link): 1, **_priced_counts(link, tokens, cost)}
    return {name: number for name, number in counts.items() if number}


def usage_partition(tenant: str) -> str:
    return f"T#{tenant}#U"


def addition_update(key: UsageKey, counts: Mapping[str, int]) -> Update:
    """Return the update that adds counts to a sum; negative numbers subtract."""
    sort = "#".join((key.day, _key_part(key.model), _key_part(key.target), _key_part(key.key_id)))
    index = {
        "by_time_pk": ALL_TENANTS,
        "by_time_sk": f"{key.day}#{_key_part(key.tenant)}#{sort}",
    }
    names = {name: getattr(key, name) for name in KEY_FIELDS}
    return Update(
        partition=usage_partition(key.tenant), sort=sort, sets={**index, **names}, adds=counts
    )


def report_usage_metrics(additions: Iterable[Update]) -> None:
    """Count tokens and cost of additions that were written, by model and target."""
    for addition in additions:
        model = addition.sets["model"] or UNNAMED_MODEL
        dimensions = {"model": model, "target": addition.sets["target"]}
        for name, metric in USAGE_METRICS.items():
            if name in addition.adds:
                metrics.count(metric, addition.adds[name], **dimensions)
        if COST_PICODOLLARS in addition.adds:
            metrics.count(COST, float(addition.adds[COST_PICODOLLARS] / PICO), **dimensions)


def group_sums(sums: Iterable[UsageSum], by: Collection[str]) -> list[UsageSum]:
    """Return one sum for each combination of the fields in `by`, sorted by them."""
    totals: dict[tuple[str | None, ...], dict[str, int]]
    totals = defaultdict(lambda: dict.fromkeys(COUNTS, 0))
    for each in sums:
        group = tuple(getattr(each, name) if name in by else None for name in KEY_FIELDS)
        counts = totals[group]
        for name, number in each.counts.items():
            counts[name] += number
    ordered = sorted(totals.items(), key=lambda item: [part or "" for part in item[0]])
    return [
        UsageSum(**dict(zip(KEY_FIELDS, group, strict=True)), counts=counts)
        for group, counts in ordered
    ]


def sum_total(sums: Iterable[UsageSum]) -> UsageSum:
    """Return the total of all sums; zeros where there are none."""
    groups = group_sums(sums, ())
    return groups[0] if groups else ZERO_SUM


def _end_name(link: Link) -> str:
    return link.status if link.is_final else "unknown"


def _is_countable(link: Link) -> bool:
    """Whether the outcome is known, or nothing polls the provider for it."""
    is_not_polled = link.unfinished is not None and not link.is_pending
    return link.is_settled or is_not_polled or link.deleted_at is not None


def _priced_counts(
    link: Link, tokens: Mapping[str, int] | None, cost: CostFunction
) -> dict[str, int]:
    if tokens is None:
        return {UNMETERED_RESPONSES: 1}
    dollars = cost(link)
    if dollars is None:
        return {**tokens, UNPRICED_RESPONSES: 1}
    return {**tokens, COST_PICODOLLARS: int((dollars * PICO).to_integral_value())}


def _token_counts(usage: Mapping[str, Any] | None) -> dict[str, int] | None:
    """Return the token counters; None where the provider gave no valid numbers."""
    if usage is None:
        return None
    counts = dict(_valid_counts(usage))
    if "input_tokens" not in counts or "output_tokens" not in counts:
        return None
    return {"total_tokens": counts["input_tokens"] + counts["output_tokens"], **counts}


def _valid_counts(usage: Mapping[str, Any]) -> Iterator[tuple[str, int]]:
    for name, path in TOKENS.items():
        value: Any = usage
        for member in path:
            value = value.get(member) if isinstance(value, Mapping) else None
        if type(value) is int and value >= 0:
            yield name, value


def _sum_of_row(row: Item) -> UsageSum:
    key = {name: row[name] for name in KEY_FIELDS}
    return UsageSum(**key, counts={name: row.get(name, 0) for name in COUNTS})


def _key_part(name: str) -> str:
    """Return a name for use between the "#" of a sort key; distinct names stay distinct."""
    quoted = quote(name, safe=":")
    if len(quoted) <= MAX_MODEL_KEY_CHARS:
        return quoted
    return f"{quoted[:MAX_MODEL_KEY_CHARS]}~{hashlib.sha256(name.encode()).hexdigest()}"
