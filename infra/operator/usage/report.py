"""A report of usage: what it is about, and its sums; as a document, and as rows of a file."""

import csv
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from antiphon.store.usage import COST_PICODOLLARS, UsageSum, sum_total

PARTS = {"day": "day", "tenant": "tenant", "model": "model", "target": "target", "key": "key_id"}


@dataclass(frozen=True, kw_only=True)
class Report:
    """Sums told apart by some of PARTS; days are both inclusive."""

    deployment: str
    tenant: str | None  # None is all of them
    first: str
    last: str
    by: Sequence[str]
    sums: Sequence[UsageSum]

    @property
    def total(self) -> UsageSum:
        return sum_total(self.sums)

    def document(self) -> dict[str, Any]:
        return {
            "deployment": self.deployment,
            "tenant": self.tenant,
            "start": self.first,
            "end": self.last,
            "by": [*self.by],
            "data": [{**self.place(each), **_counts(each)} for each in self.sums],
            "total": _counts(self.total),
        }

    def place(self, sum: UsageSum) -> dict[str, str]:
        """What a sum is told apart by."""
        names = [PARTS[part] for part in self.by]
        return {name: getattr(sum, name) or "" for name in names}

    def write_csv(self) -> None:
        """To stdout, with a line of names; without a total, so that a sheet may add it up."""
        names = [*(PARTS[part] for part in self.by), *_counts(self.total)]
        writer = csv.DictWriter(sys.stdout, names, lineterminator="\n")
        writer.writeheader()
        writer.writerows({**self.place(each), **_counts(each)} for each in self.sums)


def _counts(sum: UsageSum) -> dict[str, Any]:
    """All figures, the cost to its last digit."""
    figures = {name: number for name, number in sum.counts.items() if name != COST_PICODOLLARS}
    return {**figures, "cost_usd": sum.dollars}
