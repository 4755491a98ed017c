"""What one response adds to the sums: itself, its tokens, and what they cost."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from antiphon.store.links import Link

type Cost = Callable[[Link], Decimal | None]  # US dollars; None where no price is known

ENDS = ("completed", "failed", "incomplete", "cancelled", "unknown")
TOKENS = {  # by where a provider tells them
    "input_tokens": ("input_tokens",),
    "cached_tokens": ("input_tokens_details", "cached_tokens"),
    "cache_write_tokens": ("input_tokens_details", "cache_write_tokens"),
    "output_tokens": ("output_tokens",),
    "reasoning_tokens": ("output_tokens_details", "reasoning_tokens"),
    "total_tokens": ("total_tokens",),
}
COST = "cost_picodollars"  # whole ones: a token's price has up to ten places, and sums are exact
UNMETERED, UNPRICED = "unmetered", "unpriced"
COUNTS = ("requests", *ENDS, UNMETERED, UNPRICED, *TOKENS, COST)
PICO = Decimal(10**12)


@dataclass(frozen=True, order=True)
class Place:
    """The sum that a response belongs to; the day (UTC) is that on which it was begun."""

    tenant: str
    day: str  # 2026-11-22
    model: str  # as it was asked for; else as the provider names it; else empty
    target: str
    key_id: str

    @classmethod
    def of(cls, link: Link) -> "Place":
        day = datetime.fromtimestamp(link.created_at, UTC).date().isoformat()
        model = link.model or link.upstream_model or ""
        return cls(link.tenant, day, model, link.target, link.key_id)


def basis(link: Link | None, *, gone: bool = False) -> str | None:
    """All that the counts of a response are made of, but for prices; None while more may be heard.

    Of one whose link is `gone` no more will be. Prices may change before a change is told again.
    """
    if link is None or link.kind == "conversation" or not (gone or _over(link)):
        return None
    return json.dumps([_end(link), _tokens(link.usage), link.upstream_model, link.service_tier])


def counts(link: Link, cost: Cost) -> dict[str, int]:
    """What it adds to its sum: the COUNTS that are not 0."""
    told = {"requests": 1, _end(link): 1, **_bill(link, _tokens(link.usage), cost)}
    return {name: number for name, number in told.items() if number}


def _end(link: Link) -> str:
    return link.status if link.final else "unknown"


def _over(link: Link) -> bool:
    """Whether its end is known, or nobody will ask for it any more."""
    unasked = link.unfinished is not None and not link.pending
    return link.settled or unasked or link.deleted_at is not None


def _bill(link: Link, tokens: Mapping[str, int] | None, cost: Cost) -> dict[str, int]:
    if tokens is None:
        return {UNMETERED: 1}
    dollars = cost(link)
    if dollars is None:
        return {**tokens, UNPRICED: 1}
    return {**tokens, COST: int((dollars * PICO).to_integral_value())}


def _tokens(usage: Mapping[str, Any] | None) -> dict[str, int] | None:
    """None where the provider has told no figures, or none that could be."""
    if usage is None:
        return None
    told = dict(_figures(usage))
    if "input_tokens" not in told or "output_tokens" not in told:
        return None
    return {"total_tokens": told["input_tokens"] + told["output_tokens"], **told}


def _figures(usage: Mapping[str, Any]) -> Iterator[tuple[str, int]]:
    for name, path in TOKENS.items():
        value: Any = usage
        for step in path:
            value = value.get(step) if isinstance(value, Mapping) else None
        if type(value) is int and value >= 0:
            yield name, value
