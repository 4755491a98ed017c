"""/usage: what the tenant's requests came to, in tokens and dollars."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from aws_lambda_powertools.event_handler.api_gateway import Router

from antiphon.auth import Auth
from antiphon.http import Reply, Request
from antiphon.routes.listing import HEADERS
from antiphon.routes.traffic import Receiver, routed
from antiphon.schema.refusal import invalid
from antiphon.schema.usages import UsageBucket, UsageCounts, UsageQuery, UsageReport
from antiphon.store import usage as sums
from antiphon.store.usage import Sum

MOST_ROWS = 50_000  # read for one report: some 25 MB


@dataclass(frozen=True)
class Usage:
    auth: Auth
    sums: sums.Usage

    def report(self, request: Request) -> Reply:
        """The caller's own tenant's, whatever is asked for."""
        caller = self.auth.identify(request)
        query = UsageQuery.parse(request.query)
        first, last = query.days()
        by = {"key_id" if part == "key" else part for part in query.by}
        found = sums.gathered(_bounded(self.sums.of(caller.tenant, first, last)), by)
        told = UsageReport(
            start=first,
            end=last,
            data=[UsageBucket(**_place(each), **_counts(each)) for each in found],
            total=UsageCounts(**_counts(sums.total(found))),
        )
        return Reply(200, HEADERS, told.model_dump_json().encode())


def router(usage: Usage, receive: Receiver) -> Router:
    return routed(receive, ("GET", "/usage", usage.report))


def _bounded(found: Iterable[Sum]) -> Iterator[Sum]:
    for number, each in enumerate(found):
        if number == MOST_ROWS:
            message = (
                f"Invalid 'start': these days have more than {MOST_ROWS:,} sums. Ask for fewer."
            )
            raise invalid("start", message)
        yield each


def _place(sum: Sum) -> dict[str, Any]:
    return {name: getattr(sum, name) for name in ("day", "model", "target", "key_id")}


def _counts(sum: Sum) -> dict[str, Any]:
    return {**sum.counts, "cost_usd": sum.dollars}
