"""A table whose stream is counted into sums, and what the sums should come to."""

from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from antiphon.pricing import Prices, UsageCost
from antiphon.rollup import StreamHandler, UsageRollup
from antiphon.settings.config import OpenAITarget
from antiphon.store.links import Link
from antiphon.store.usage import COST_PICODOLLARS, UsageSum, UsageSums, group_sums, sum_total
from infra.local import transactions
from infra.local.things import TABLE
from tests.support.dynamo import Dynamo, held, link

TARGETS = {"openai": OpenAITarget(provider="openai", models=["*"])}
EVER = ("0000-01-01", "9999-12-31")
DONE = {
    "requests": 1,
    "completed": 1,
    "input_tokens": 1000,
    "output_tokens": 100,
    "total_tokens": 1100,
    COST_PICODOLLARS: 2_250_000_000,  # gpt-5: 1000 * 1.25 + 100 * 10 dollars for a million
}
UNKNOWN = {"requests": 1, "unknown": 1, "unmetered": 1}


def usage(input: int = 1000, output: int = 100, cached: int = 0, reasoning: int = 0) -> dict:
    return {
        "input_tokens": input,
        "input_tokens_details": {"cached_tokens": cached},
        "output_tokens": output,
        "output_tokens_details": {"reasoning_tokens": reasoning},
        "total_tokens": input + output,
    }


class Counted:
    """A Dynamo that counts."""

    def __init__(self, dynamo: Dynamo) -> None:
        self.dynamo = dynamo
        self.links, self.table = dynamo.links, dynamo.table
        self.usage = UsageSums(self.table)
        self.rollup = StreamHandler(
            [UsageRollup(self.table, UsageCost(Prices({}), TARGETS)).follow]
        )

    def roll(self, records: Iterable[dict[str, Any]] | None = None) -> list[dict[str, str]]:
        """Let the rollup see what is new; gives the failures."""
        told = self.dynamo.records() if records is None else list(records)
        return self.rollup({"Records": told}, None)["batchItemFailures"]

    def sums(self, tenant: str = "acme") -> list[UsageSum]:
        return list(self.usage.of(tenant, *EVER))

    def total(self, tenant: str = "acme") -> dict[str, int]:
        """All sums of a tenant together, without zeros."""
        return shown(sum_total(self.sums(tenant)))

    def gone(self, link: Link) -> None:
        """Have time take a link away."""
        self.table.delete(f"T#{link.tenant}#R#{link.id}", "LINK")

    def rows(self) -> dict[tuple[str, str], dict[str, Any]]:
        """The whole table, but for the links."""
        found = self.dynamo.client.scan(TableName=TABLE)["Items"]
        return {(r["pk"]["S"], r["sk"]["S"]): r for r in found if r["sk"]["S"] != "LINK"}


def shown(sum: UsageSum) -> dict[str, int]:
    return {name: number for name, number in sum.counts.items() if number}


def parts(sums: Iterable[UsageSum]) -> Counter[tuple[str | None, ...]]:
    """Requests by place."""
    found = group_sums(sums, ("day", "model", "target", "key_id"))
    return Counter({(s.day, s.model, s.target, s.key_id): s.counts["requests"] for s in found})


@contextmanager
def counting() -> Iterator[Counted]:
    transactions.install()  # moto's own are not made for threads
    with held() as dynamo:
        yield Counted(dynamo)


def begun(counted: Counted, **more: Any) -> Link:
    new = link(**{"status": "in_progress", "model": "gpt-5", **more})
    counted.links.put(new)
    return new


def done(counted: Counted, link: Link, **more: Any) -> None:
    counted.links.change(link, **{"status": "completed", "usage": usage(), **more})
