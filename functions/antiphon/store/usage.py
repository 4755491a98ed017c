"""What one response adds to the sums: itself, its tokens, and what they cost.

What was just counted, as the dashboard shows it: tokens and cost by model and target.

The sums: a row for each day, model, target and key of a tenant.

They are kept for ever, in one partition for a tenant, by day: a report of any length is one query.
Operators find those of all tenants in a partition of the index `by_time` which has no tenant in
its key, so that no function may read it.
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
from antiphon.store.dynamodb import Item, Query, Table, Update
from antiphon.store.links import Link

type CostFunction = Callable[[Link], Decimal | None]  # US dollars; None where no price is known

END_NAMES = ("completed", "failed", "incomplete", "cancelled", "unknown")
TOKENS = {  # by where a provider tells them
    "input_tokens": ("input_tokens",),
    "cached_tokens": ("input_tokens_details", "cached_tokens"),
    "cache_write_tokens": ("input_tokens_details", "cache_write_tokens"),
    "output_tokens": ("output_tokens",),
    "reasoning_tokens": ("output_tokens_details", "reasoning_tokens"),
    "total_tokens": ("total_tokens",),
}
COST_PICODOLLARS = (
    "cost_picodollars"  # whole ones: a token's price has up to ten places, and sums are exact
)
UNMETERED_RESPONSES, UNPRICED_RESPONSES = "unmetered", "unpriced"
COUNTS = (
    "requests",
    *END_NAMES,
    UNMETERED_RESPONSES,
    UNPRICED_RESPONSES,
    *TOKENS,
    COST_PICODOLLARS,
)
PICO = Decimal(10**12)


@dataclass(frozen=True, order=True)
class UsageKey:
    """The sum that a response belongs to; the day (UTC) is that on which it was begun."""

    tenant: str
    day: str  # 2026-11-22
    model: str  # as it was asked for; else as the provider names it; else empty
    target: str
    key_id: str

    @classmethod
    def of(cls, link: Link) -> "UsageKey":
        day = datetime.fromtimestamp(link.created_at, UTC).date().isoformat()
        model = link.model or link.upstream_model or ""
        return cls(link.tenant, day, model, link.target, link.key_id)


def usage_fingerprint(link: Link | None, *, gone: bool = False) -> str | None:
    """All that the counts of a response are made of, but for prices; None while more may be heard.

    Of one whose link is `gone` no more will be. Prices may change before a change is told again.
    """
    if link is None or link.kind == "conversation" or not (gone or _is_final(link)):
        return None
    return json.dumps(
        [_end_name(link), _tokens(link.usage), link.upstream_model, link.service_tier]
    )


def usage_counts(link: Link, cost: CostFunction) -> dict[str, int]:
    """What it adds to its sum: the COUNTS that are not 0."""
    told = {"requests": 1, _end_name(link): 1, **_priced_counts(link, _tokens(link.usage), cost)}
    return {name: number for name, number in told.items() if number}


def _end_name(link: Link) -> str:
    return link.status if link.final else "unknown"


def _is_final(link: Link) -> bool:
    """Whether its end is known, or nobody will ask for it any more."""
    unasked = link.unfinished is not None and not link.pending
    return link.settled or unasked or link.deleted_at is not None


def _priced_counts(
    link: Link, tokens: Mapping[str, int] | None, cost: CostFunction
) -> dict[str, int]:
    if tokens is None:
        return {UNMETERED_RESPONSES: 1}
    dollars = cost(link)
    if dollars is None:
        return {**tokens, UNPRICED_RESPONSES: 1}
    return {**tokens, COST_PICODOLLARS: int((dollars * PICO).to_integral_value())}


def _tokens(usage: Mapping[str, Any] | None) -> dict[str, int] | None:
    """None where the provider has told no figures, or none that could be."""
    if usage is None:
        return None
    told = dict(_token_counts(usage))
    if "input_tokens" not in told or "output_tokens" not in told:
        return None
    return {"total_tokens": told["input_tokens"] + told["output_tokens"], **told}


def _token_counts(usage: Mapping[str, Any]) -> Iterator[tuple[str, int]]:
    for name, path in TOKENS.items():
        value: Any = usage
        for step in path:
            value = value.get(step) if isinstance(value, Mapping) else None
        if type(value) is int and value >= 0:
            yield name, value


USAGE_METRICS = {
    "input_tokens": INPUT_TOKENS,
    "cached_tokens": CACHED_TOKENS,
    "output_tokens": OUTPUT_TOKENS,
    UNPRICED_RESPONSES: UNPRICED,
}
UNNAMED_MODEL = "unnamed"  # a dimension's value is never empty


def report_usage_metrics(additions: Iterable[Update]) -> None:
    """Once for each addition to a sum that was written."""
    for each in additions:
        where = {"model": each.sets["model"] or UNNAMED_MODEL, "target": each.sets["target"]}
        for name, metric in USAGE_METRICS.items():
            if name in each.adds:
                metrics.count(metric, each.adds[name], **where)
        if COST_PICODOLLARS in each.adds:
            metrics.count(COST, float(each.adds[COST_PICODOLLARS] / PICO), **where)


ALL_TENANTS = "USAGE"  # the partition of the index that has the sums of every tenant
AFTER_DAY = "$"  # follows '#', which ends a day in all sort keys
MAX_NAME_CHARS = 400  # characters of a model's name in a key, of which 1,024 bytes may be
READ_ROWS = 1000  # rows at a time; DynamoDB itself stops at 1 MB


@dataclass(frozen=True)
class UsageSum:
    """What responses came to; None stands for all there are."""

    day: str | None
    model: str | None
    target: str | None
    key_id: str | None
    tenant: str | None
    counts: Mapping[str, int]  # all of COUNTS

    @property
    def cost(self) -> Decimal:
        """US dollars."""
        return Decimal(self.counts[COST_PICODOLLARS]) / PICO

    @property
    def dollars(self) -> str:
        """The cost in plain digits, all of them: 0.00225."""
        return format(self.cost.normalize(), "f")


ZERO_SUM = UsageSum(None, None, None, None, None, dict.fromkeys(COUNTS, 0))
KEY_FIELDS = tuple(f.name for f in fields(UsageKey))


class UsageSums:
    """Raise Unavailable where the table does not answer. Days are such as 2026-11-22, inclusive."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def of(self, tenant: str, first: str, last: str) -> Iterator[UsageSum]:
        """A tenant's sums, by day."""
        return self._read(
            Query(partition=usage_partition(tenant), low=first, high=last + AFTER_DAY)
        )

    def every(self, first: str, last: str) -> Iterator[UsageSum]:
        """The sums of all tenants, by day; the index may lag a second."""
        return self._read(
            Query(partition=ALL_TENANTS, low=first, high=last + AFTER_DAY, index="by_time"),
        )

    def _read(self, query: Query) -> Iterator[UsageSum]:
        start: Item | None = None
        while True:
            rows = self._table.query(query, READ_ROWS, start)
            yield from map(_sum_of_row, rows.items)
            start = rows.next
            if start is None:
                return


def usage_partition(tenant: str) -> str:
    return f"T#{tenant}#U"


def addition_update(place: UsageKey, counts: Mapping[str, int]) -> Update:
    """What adds counts, or takes them away, to the sum of a place."""
    sort = "#".join(
        (place.day, _key_part(place.model), _key_part(place.target), _key_part(place.key_id))
    )
    index = {
        "by_time_pk": ALL_TENANTS,
        "by_time_sk": f"{place.day}#{_key_part(place.tenant)}#{sort}",
    }
    texts = {name: getattr(place, name) for name in KEY_FIELDS}
    return Update(
        partition=usage_partition(place.tenant), sort=sort, sets={**index, **texts}, adds=counts
    )


def group_sums(sums: Iterable[UsageSum], by: Collection[str]) -> list[UsageSum]:
    """One sum for each combination of the parts named in `by`, in their order."""
    totals: dict[tuple[str | None, ...], dict[str, int]]
    totals = defaultdict(lambda: dict.fromkeys(COUNTS, 0))
    for each in sums:
        counts = totals[tuple(getattr(each, name) if name in by else None for name in KEY_FIELDS)]
        for name, number in each.counts.items():
            counts[name] += number
    ordered = sorted(totals.items(), key=lambda pair: [part or "" for part in pair[0]])
    return [
        UsageSum(**dict(zip(KEY_FIELDS, parts, strict=True)), counts=each)
        for parts, each in ordered
    ]


def sum_total(sums: Iterable[UsageSum]) -> UsageSum:
    """All of them together; zeros where there are none."""
    found = group_sums(sums, ())
    return found[0] if found else ZERO_SUM


def _sum_of_row(row: Item) -> UsageSum:
    parts = {name: row[name] for name in KEY_FIELDS}
    return UsageSum(**parts, counts={name: row.get(name, 0) for name in COUNTS})


def _key_part(name: str) -> str:
    """A name as part of a key, in which '#' parts names."""
    quoted = quote(name, safe=":")
    if len(quoted) <= MAX_NAME_CHARS:
        return quoted
    return f"{quoted[:MAX_NAME_CHARS]}~{hashlib.sha256(name.encode()).hexdigest()}"
