"""Counts responses into the usage sums, once their outcome is known, and containers."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from antiphon.store.dynamodb import Item, Update
from antiphon.store.links import Link
from antiphon.store.usage import (
    KEY_FIELDS,
    CostFunction,
    UsageKey,
    addition_update,
    report_usage_metrics,
    usage_counts,
    usage_fingerprint,
)


@dataclass(frozen=True)
class UsageRollup:
    cost: CostFunction
    marker_sort: str = "COUNTED"

    def fingerprint(self, link: Link | None) -> str | None:
        return usage_fingerprint(link)

    def mark(self, link: Link) -> Item:
        key = UsageKey.of(link)
        names = {name: getattr(key, name) for name in KEY_FIELDS}
        return {**names, "counts": usage_counts(link, self.cost)}

    def additions(self, link: Link, mark: Item, counted: Item | None) -> Iterator[Update]:
        """Add the new counts to their sum, and subtract those that the marker records."""
        deltas: dict[UsageKey, Counter[str]] = defaultdict(Counter)
        deltas[UsageKey.of(link)].update(mark["counts"])
        if counted is not None:
            deltas[_key_of(counted)].subtract(counted["counts"])
        for key, numbers in deltas.items():
            changed = {name: number for name, number in numbers.items() if number}
            if changed:
                yield addition_update(key, changed)

    def report(self, additions: Sequence[Update]) -> None:
        report_usage_metrics(additions)


def _key_of(marker: Mapping[str, str]) -> UsageKey:
    return UsageKey(**{name: marker[name] for name in KEY_FIELDS})
