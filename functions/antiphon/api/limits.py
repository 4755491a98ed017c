"""/limits: what the calling key and its tenant may use, and what they have used."""

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from aws_lambda_powertools.event_handler.api_gateway import Router

from antiphon.auth import Caller
from antiphon.http import Reply, Request
from antiphon.http_events import RequestReader, build_router
from antiphon.limits.admission import Gate
from antiphon.limits.remaining import LimitReport, LimitUse, Scope
from antiphon.schema.limits import (
    LimitList,
    LimitObject,
    LimitPeriod,
    LimitSource,
    LimitsQuery,
)
from antiphon.settings.config import UNLIMITED, Limits
from antiphon.store.dynamodb import Table

HEADERS = {"content-type": "application/json", "cache-control": "no-store"}
OF_ONE_REQUEST = ("max_body_bytes", "max_output_tokens")
OF_A_MINUTE = {"rpm", "tpm"}
DOLLAR_DIGITS = 9  # counters have nano-dollars


@dataclass(frozen=True, eq=False, repr=False)
class LimitsEndpoint:
    gate: Gate
    table: Table
    tenants: Mapping[str, Limits]  # limits for all keys of a tenant together
    max_body_bytes: int  # of every request to this gateway

    def report(self, request: Request) -> Reply:
        """Report the limits of the caller's own key and tenant; the call itself is counted."""
        caller = self.gate.admit(request)
        LimitsQuery.parse(request.query)
        answer = LimitList(
            tenant=caller.tenant,
            key_id=caller.key_id,
            models=None if caller.models is None else list(caller.models),
            data=list(self._limits(caller)),
        )
        return Reply(200, HEADERS, answer.model_dump_json().encode())

    def _limits(self, caller: Caller) -> Iterator[LimitObject]:
        sources: dict[Scope, Limits] = {
            "key": caller.limits,
            "tenant": self.tenants.get(caller.tenant, UNLIMITED),
        }
        report = LimitReport(self.table, time.time())
        uses = list(report.read(caller.tenant, caller.key_id, sources["key"], sources["tenant"]))
        for source, limits in sources.items():
            yield from (_counted(use, limits) for use in uses if use.scope == source)
            yield from _of_one_request(source, limits)
        yield _uncounted("max_body_bytes", "configuration", self.max_body_bytes)


def limits_router(limits: LimitsEndpoint, reader: RequestReader) -> Router:
    return build_router(reader, ("GET", "/limits", limits.report))


def _counted(use: LimitUse, limits: Limits) -> LimitObject:
    return LimitObject(
        name=use.name,
        source=use.scope,
        period=_period(use.name, limits),
        limit=use.maximum,
        used=use.used,
        remaining=round(use.left, DOLLAR_DIGITS),
        resets_at=use.renews_at,
    )


def _period(name: str, limits: Limits) -> LimitPeriod | None:
    if name in OF_A_MINUTE:
        return "minute"
    return limits.budget_period if name == "budget_usd" else None


def _of_one_request(source: Scope, limits: Limits) -> Iterator[LimitObject]:
    for name in OF_ONE_REQUEST:
        maximum: int | None = getattr(limits, name)
        if maximum is not None:
            yield _uncounted(name, source, maximum)


def _uncounted(name: str, source: LimitSource, maximum: int) -> LimitObject:
    return LimitObject(
        name=name,
        source=source,
        period=None,
        limit=maximum,
        used=None,
        remaining=None,
        resets_at=None,
    )
