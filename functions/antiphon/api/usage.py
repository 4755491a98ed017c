"""/usage: the usage report of a tenant, in requests, tokens and US dollars; what it has stored."""

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from aws_lambda_powertools.event_handler.api_gateway import Router

from antiphon.api.listing import LIST_HEADERS
from antiphon.http import Reply, Request
from antiphon.http_events import RequestReader, build_router
from antiphon.limits.admission import Gate
from antiphon.schema.usage import StoredNow, UsageBucket, UsageCounts, UsageQuery, UsageReport
from antiphon.schema.validation_errors import invalid_value
from antiphon.store.storage import StorageRows
from antiphon.store.usage import UsageSum, UsageSums, group_sums, sum_total

MAX_SUMS = 50_000  # that one report reads: about 25 MB


@dataclass(frozen=True, eq=False, repr=False)
class UsageEndpoint:
    gate: Gate
    sums: UsageSums
    storage: StorageRows

    def report(self, request: Request) -> Reply:
        """Report the usage of the caller's own tenant."""
        caller = self.gate.admit(request)
        query = UsageQuery.parse(request.query)
        first, last = query.days()
        by = {"key_id" if dimension == "key" else dimension for dimension in query.by}
        sums = group_sums(_limit_sums(self.sums.read_tenant(caller.tenant, first, last)), by)
        report = UsageReport(
            start=first,
            end=last,
            data=[_to_bucket(each) for each in sums],
            total=UsageCounts(**_counts(sum_total(sums))),
            storage=StoredNow(**self.storage.read(caller.tenant, time.time()).counts),
        )
        return Reply(200, LIST_HEADERS, report.model_dump_json().encode())


def usage_router(usage: UsageEndpoint, reader: RequestReader) -> Router:
    return build_router(reader, ("GET", "/usage", usage.report))


def _limit_sums(sums: Iterable[UsageSum]) -> Iterator[UsageSum]:
    """Raise InvalidRequest when there are more than MAX_SUMS."""
    for number, each in enumerate(sums):
        if number == MAX_SUMS:
            message = (
                f"Invalid 'start': the usage of these days has more than {MAX_SUMS:,} rows. "
                "Request fewer days."
            )
            raise invalid_value("start", message)
        yield each


def _to_bucket(each: UsageSum) -> UsageBucket:
    return UsageBucket(
        day=each.day, model=each.model, target=each.target, key_id=each.key_id, **_counts(each)
    )


def _counts(each: UsageSum) -> dict[str, Any]:
    return {**each.counts, "cost_usd": each.dollars}
