"""Usage sums: in an embedded store, in reports of a running gateway, and in stacks."""

import itertools
import json
import threading
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from antiphon.pricing import CostEstimator, Prices
from antiphon.rollup.counting import LinkCounter
from antiphon.rollup.handler import StreamHandler
from antiphon.rollup.storage import StorageRollup
from antiphon.rollup.usage import UsageRollup
from antiphon.settings.targets import OpenAITarget
from antiphon.store.dynamodb import Table
from antiphon.store.links import Link, link_partition
from antiphon.store.reservations import build_recount
from antiphon.store.storage import StorageKey, StorageRows
from antiphon.store.usage import (
    COST_PICODOLLARS,
    UsageKey,
    UsageSum,
    UsageSums,
    addition_update,
    group_sums,
    sum_total,
)
from infra.local.aws.resources import TABLE
from tests.support.aws_clients import aws_client
from tests.support.canaries import CONTENT
from tests.support.concurrency import wait_for
from tests.support.dynamodb import EmbeddedStore, embedded_store
from tests.support.events import make_response
from tests.support.provider import encode_response

TARGETS = {"openai": OpenAITarget(provider="openai", models=["*"])}
EVER = ("0000-01-01", "9999-12-31")
COMPLETED = {
    "requests": 1,
    "completed": 1,
    "input_tokens": 1000,
    "output_tokens": 100,
    "total_tokens": 1100,
    COST_PICODOLLARS: 2_250_000_000,  # gpt-5: 1000 * 1.25 + 100 * 10 dollars for a million
}
UNKNOWN = {"requests": 1, "unknown": 1, "unmetered": 1}


def make_usage(input: int = 1000, output: int = 100, cached: int = 0, reasoning: int = 0) -> dict:
    return {
        "input_tokens": input,
        "input_tokens_details": {"cached_tokens": cached},
        "output_tokens": output,
        "output_tokens_details": {"reasoning_tokens": reasoning},
        "total_tokens": input + output,
    }


class UsageStore:
    """An embedded store whose stream is counted into usage sums."""

    def __init__(self, dynamo: EmbeddedStore) -> None:
        self.dynamo = dynamo
        self.links, self.table = dynamo.links, dynamo.table
        self.delete_link = dynamo.delete_link
        self.usage = UsageSums(self.table)
        self.storage = StorageRows(self.table)
        self.later = 0.0  # seconds by which the rollup's clock is ahead
        costs = CostEstimator(Prices({}), TARGETS)
        sums = (
            UsageRollup(costs.cost),
            StorageRollup(self.storage, lambda: time.time() + self.later),
        )
        self.rollup = StreamHandler(
            [LinkCounter(self.table, each).apply for each in sums], dynamo.queue
        )

    def run_rollup(self, records: Iterable[dict[str, Any]] | None = None) -> list[dict[str, str]]:
        """Invokes the rollup with new records, or with these; returns the failures."""
        event = {"Records": self.dynamo.stream_records() if records is None else list(records)}
        return self.rollup(event, None)["batchItemFailures"]

    def run_at_once(self, batches: Sequence[list[dict[str, Any]]]) -> list[dict[str, str]]:
        """Invokes the rollup with each batch at the same time; returns all failures."""
        gate = threading.Barrier(len(batches))

        def call(records: list[dict[str, Any]]) -> list[dict[str, str]]:
            gate.wait()
            return self.run_rollup(records)

        with ThreadPoolExecutor(len(batches)) as callers:
            return [failure for failures in callers.map(call, batches) for failure in failures]

    def sums(self, tenant: str = "acme") -> list[UsageSum]:
        return list(self.usage.read_tenant(tenant, *EVER))

    def total(self, tenant: str = "acme") -> dict[str, int]:
        """All sums of a tenant together, without zeros."""
        return nonzero_counts(sum_total(self.sums(tenant)))

    def make_link(self, **more: Any) -> Link:
        """A link one second younger than the one made before it; it is not written."""
        return self.dynamo.make_link(**more)

    def expire(self, link: Link) -> None:
        """Removes a link, as DynamoDB's time to live does."""
        self.table.delete(link_partition(link.kind, link.tenant, link.id), "LINK")

    def rows(self) -> dict[tuple[str, str], dict[str, Any]]:
        """The whole table without the links."""
        found = self.dynamo.client.scan(TableName=TABLE)["Items"]
        return {(r["pk"]["S"], r["sk"]["S"]): r for r in found if r["sk"]["S"] != "LINK"}


def nonzero_counts(sum: UsageSum) -> dict[str, int]:
    return {name: number for name, number in sum.counts.items() if number}


def count_by_part(sums: Iterable[UsageSum]) -> Counter[tuple[str | None, ...]]:
    """Requests by day, model, target and key."""
    found = group_sums(sums, ("day", "model", "target", "key_id"))
    return Counter({(s.day, s.model, s.target, s.key_id): s.counts["requests"] for s in found})


@contextmanager
def usage_store() -> Iterator[UsageStore]:
    with embedded_store() as dynamo:
        yield UsageStore(dynamo)


def begin_response(counted: UsageStore, **more: Any) -> Link:
    new = counted.make_link(**{"status": "in_progress", "model": "gpt-5", **more})
    counted.links.put(new)
    return new


def complete_response(counted: UsageStore, link: Link, **more: Any) -> None:
    counted.links.change(link, **{"status": "completed", "usage": make_usage(), **more})


_models = (f"gpt-usage-{n}" for n in itertools.count())
PRICED = "gpt-5-2025-08-07"  # 1.25 dollars for a million in, 0.125 cached, 10 out
PROVIDER_USAGE = {
    "input_tokens": 1000,
    "input_tokens_details": {"cached_tokens": 400},
    "output_tokens": 100,
    "output_tokens_details": {"reasoning_tokens": 60},
    "total_tokens": 1100,
}
SPENT = {
    "input_tokens": 1000,
    "cached_tokens": 400,
    "output_tokens": 100,
    "reasoning_tokens": 60,
    "total_tokens": 1100,
    "cost_usd": "0.0018",  # 600 * 1.25 + 400 * 0.125 + 100 * 10
}

UNPRICED = {name: number for name, number in SPENT.items() if name != "cost_usd"}


def new_model():
    """A model that no other test uses, so that a test finds its own sums."""
    return next(_models)


def encode_usage_response(id, status="completed", **more):
    return encode_response(json.dumps(make_usage_response(id, status, **more)).encode())


def make_usage_response(id, status="completed", **more):
    return make_response(id, status, **{"model": PRICED, "usage": PROVIDER_USAGE, **more})


def send_create(client, model, **more):
    got = client.post("/responses", json={"model": model, "input": CONTENT["prompt"], **more})
    assert got.status_code == 200, got.text
    return got


def read_report(client, **query):
    got = client.get("/usage", params=query)
    assert got.status_code == 200, got.text
    return got.json()


def wait_for_sum(client, model, requests):
    """The one sum of a model, once it has so many requests or more; it must not have more."""

    def read():
        return [each for each in read_report(client)["data"] if each["model"] == model]

    [one] = wait_for(read, lambda found: sum(each["requests"] for each in found) >= requests)
    assert one["requests"] == requests
    return one


def nonzero_fields(sum):
    """The numbers of a sum without zeros."""
    names = ("object", "day", "model", "target", "key_id")
    return {n: v for n, v in sum.items() if n not in names and v not in (0, "0")}


def days_around_now():
    now = datetime.now(UTC)
    return {(now - timedelta(minutes=m)).date().isoformat() for m in (0, 5)}


MICRO = 10**6  # picodollars


def days_ago(days):
    return (datetime.now(UTC).date() - timedelta(days)).isoformat()


def add_usage(
    days=0, micro=0, tenant="acme", model="gpt-5", key="key_1", table="table-of-prod", **more
):
    """Counts one request so many days ago, for so many millionths of a dollar."""
    key = UsageKey(tenant, days_ago(days), model, more.pop("target", "openai"), key)
    counts = {"requests": 1, "completed": 1, "input_tokens": 1000, "total_tokens": 1100}
    counts |= {"output_tokens": 100, COST_PICODOLLARS: micro * MICRO, **more}
    adds = {name: number for name, number in counts.items() if number}
    _stage_table(table).update(addition_update(key, adds))


def add_storage(tenant="acme", key_id=None, table="table-of-prod", **counts):
    """Counts what a tenant, or one of its keys, has stored."""
    key = StorageKey(tenant, key_id)
    update = build_recount(key.partition, {}, counts, ())
    _stage_table(table).update(replace(update, sets=key.attributes))


def _stage_table(name):
    return Table(aws_client("dynamodb"), name)
