"""/usage: what the tenant's requests came to, in tokens and dollars."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from aws_lambda_powertools.event_handler.api_gateway import Router

from antiphon.api.listing import LIST_HEADERS
from antiphon.auth import Auth
from antiphon.http import Reply, Request
from antiphon.http_events import RequestReader, build_router
from antiphon.schema.usage import UsageBucket, UsageCounts, UsageQuery, UsageReport
from antiphon.schema.validation_errors import invalid_value
from antiphon.store.usage import UsageSum, UsageSums, group_sums, sum_total

MAX_ROWS = 50_000  # read for one report: some 25 MB


@dataclass(frozen=True)
class UsageEndpoint:
    auth: Auth
    sums: UsageSums

    def report(self, request: Request) -> Reply:
        """The caller's own tenant's, whatever is asked for."""
        caller = self.auth.identify(request)
        query = UsageQuery.parse(request.query)
        first, last = query.days()
        by = {"key_id" if part == "key" else part for part in query.by}
        found = group_sums(_bounded(self.sums.read_tenant(caller.tenant, first, last)), by)
        told = UsageReport(
            start=first,
            end=last,
            data=[UsageBucket(**_bucket_key(each), **_counts(each)) for each in found],
            total=UsageCounts(**_counts(sum_total(found))),
        )
        return Reply(200, LIST_HEADERS, told.model_dump_json().encode())


def usage_router(usage: UsageEndpoint, reader: RequestReader) -> Router:
    return build_router(reader, ("GET", "/usage", usage.report))


def _bounded(found: Iterable[UsageSum]) -> Iterator[UsageSum]:
    for number, each in enumerate(found):
        if number == MAX_ROWS:
            message = (
                f"Invalid 'start': these days have more than {MAX_ROWS:,} sums. Ask for fewer."
            )
            raise invalid_value("start", message)
        yield each


def _bucket_key(sum: UsageSum) -> dict[str, Any]:
    return {name: getattr(sum, name) for name in ("day", "model", "target", "key_id")}


def _counts(sum: UsageSum) -> dict[str, Any]:
    return {**sum.counts, "cost_usd": sum.dollars}
