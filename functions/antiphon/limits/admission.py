"""Budgets that come near their end: a figure for the alarm, and a line that says whose it is.

Whether a request may be sent: all limits of its caller at once, by one write or by none.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Self

from antiphon.auth import Caller
from antiphon.http import Request
from antiphon.limits.counters import (
    IN_FLIGHT,
    SPENT,
    TOKENS,
    LimitCounter,
    account_of,
    is_stale,
    limit_counters,
    of_kinds,
)
from antiphon.limits.refusals import (
    check_output,
    check_size,
    raise_exceeded,
    raise_unpriced,
    rate_limit_headers,
)
from antiphon.limits.reservation import (
    Reservation,
    ReservationJson,
    Settlement,
    TokenEstimate,
    estimate_tokens,
)
from antiphon.observability import logger, metrics
from antiphon.pricing import CostEstimator, Prices
from antiphon.schema.create import CreateResponse, ModelRequest
from antiphon.settings.config import UNLIMITED, Config, Limits
from antiphon.settings.metrics import BUDGET_ALERT_PERCENT, BUDGET_USED
from antiphon.store.dynamodb import Table
from antiphon.store.links import Link
from antiphon.store.reservations import Counts, HeldAmounts, LimitExceeded, LimitRows


def warn_near_budget(
    counted: Mapping[LimitCounter, int], row: Mapping[str, int], caller: Caller
) -> None:
    """`row` is as it is with what was `counted`; the line is logged by whoever takes it so far."""
    for meter, amount in counted.items():
        if meter.kind == SPENT:
            used = 100 * row.get(meter.counter, 0) / meter.most
            metrics.measure(BUDGET_USED, round(used, 1))
            if used >= BUDGET_ALERT_PERCENT > used - 100 * amount / meter.most:
                about = {"tenant": caller.tenant, "key_id": caller.key_id, "used": round(used)}
                logger.warning("budget near its end", extra={"budget": meter.scope.name, **about})


HOUR = 3_600.0
MAX_CALL_SECONDS = 900.0  # seconds that Lambda gives a call
GRACE_SECONDS = 60.0  # seconds behind its end in which it may still be told of

type Amounts = Mapping[LimitCounter, int]  # what a request is counted with


@dataclass(frozen=True)
class Admission:
    settlement: Settlement
    tenants: Mapping[str, Limits]  # what all keys of a tenant may use together
    usual_output: int  # tokens that are reserved where a request does not limit them

    @classmethod
    def over(cls, table: Table, prices: Prices, config: Config) -> Self:
        """By the configuration of a gateway."""
        patience = config.gateway.settle_hours * HOUR + HOUR  # a last look takes a while
        settlement = Settlement(
            LimitRows(table, patience, is_stale), CostEstimator(prices, config.targets)
        )
        return cls(settlement, config.tenants, config.gateway.reserve_output_tokens)

    def admit(
        self, ask: ModelRequest, caller: Caller, request: Request, parent: Link | None = None
    ) -> Reservation:
        """Count a request; raise LimitReached and its kin where it may not be sent now.

        Raise BodyTooLarge, InvalidRequest and PriceUnknown where no waiting would help, and
        Unavailable where nobody knows what has been used. `parent` is what `ask` continues.
        """
        at = account_of(caller, self.tenants.get(caller.tenant, UNLIMITED))
        check_size(at.scopes, request.body)
        check_output(at.scopes, ask)
        if at.row is None:
            return Reservation(self.settlement)
        now = self.settlement.clock()
        wanted = estimate_tokens(ask, request.body, parent, self.usual_output)
        amounts = {m: self._amount(m, ask, wanted) for m in limit_counters(at.scopes, now)}
        if any(amount > meter.most for meter, amount in amounts.items()):
            raise_exceeded(amounts, {}, now)  # whatever has been used
        held = _held_amounts(at.row, request, amounts)
        row = self._counted(held, amounts, caller, _expires_at(request, now))
        return Reservation(
            self.settlement,
            held if held.id else None,
            ask.model,
            rate_limit_headers(amounts, row, now),
        )

    def reservation_from(self, stored: ReservationJson | None) -> Reservation:
        """Return the reservation that a link stores; None is one without limits."""
        if stored is None:
            return Reservation(self.settlement)
        counted = stored["counted"]
        held = HeldAmounts(stored["row"], stored["id"], counted, of_kinds(counted, SPENT))
        return Reservation(self.settlement, held, stored["model"])

    def _counted(self, held: HeldAmounts, amounts: Amounts, caller: Caller, until: float) -> Counts:
        most = {meter.counter: meter.most for meter in amounts}
        try:
            row = self.settlement.rows.count(held, most, until)
        except LimitExceeded as exc:
            warn_near_budget(amounts, exc.row, caller)
            raise_exceeded(amounts, exc.row, self.settlement.clock())
        warn_near_budget(amounts, row, caller)
        return row

    def _amount(self, meter: LimitCounter, ask: ModelRequest, wanted: TokenEstimate) -> int:
        if meter.kind == SPENT:
            return self._cost(ask, wanted)
        return wanted.within(meter.most) if meter.kind == TOKENS else 1

    def _cost(self, ask: ModelRequest, wanted: TokenEstimate) -> int:
        tier = ask.service_tier if isinstance(ask, CreateResponse) else None
        cost = self.settlement.costs.most(ask.model or "", wanted.input, wanted.output, tier)
        return raise_unpriced(ask.model, tier) if cost is None else cost


def _held_amounts(row: str, request: Request, amounts: Amounts) -> HeldAmounts:
    """Nothing is held of a request that has no end to be told of."""
    counted = {meter.counter: amount for meter, amount in amounts.items()}
    back = of_kinds(counted, IN_FLIGHT, SPENT)
    ends = back or of_kinds(counted, TOKENS)
    return HeldAmounts(
        row, sha256(request.id.encode()).hexdigest()[:16] if ends else "", counted, back
    )


def _expires_at(request: Request, now: float) -> float:
    """When Lambda must have ended the request, and its end has been told of or never will be."""
    return now + min(request.seconds_left, MAX_CALL_SECONDS) + GRACE_SECONDS
