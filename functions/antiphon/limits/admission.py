"""Whether a request may be sent: all limits of its caller at once, by one write or by none."""

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Self

from antiphon.auth import Caller
from antiphon.http import Request
from antiphon.limits.demand import Demand, demand
from antiphon.limits.lease import Desk, Form, Lease
from antiphon.limits.meters import (
    IN_FLIGHT,
    SPENT,
    TOKENS,
    Meter,
    account,
    is_stale,
    meters,
    of_kinds,
)
from antiphon.limits.near import tell_budgets
from antiphon.limits.refusals import check_output, check_size, refuse, refuse_unpriced
from antiphon.limits.shown import headers
from antiphon.limits.tariff import Tariff
from antiphon.pricing import Prices
from antiphon.schema import Continuing, CreateResponse
from antiphon.settings.config import Config
from antiphon.settings.limits import UNLIMITED, Limits
from antiphon.store.links import Link
from antiphon.store.reservation import Counts, Reservation
from antiphon.store.reserves import Exhausted, Reserves
from antiphon.store.table import Table

HOUR = 3_600.0
LONGEST = 900.0  # seconds that Lambda gives a call
GRACE = 60.0  # seconds behind its end in which it may still be told of

type Amounts = Mapping[Meter, int]  # what a request is counted with


@dataclass(frozen=True)
class Admission:
    desk: Desk
    tenants: Mapping[str, Limits]  # what all keys of a tenant may use together
    usual_output: int  # tokens that are reserved where a request does not limit them

    @classmethod
    def over(cls, table: Table, prices: Prices, config: Config) -> Self:
        """By the configuration of a gateway."""
        patience = config.gateway.settle_hours * HOUR + HOUR  # a last look takes a while
        desk = Desk(Reserves(table, patience, is_stale), Tariff(prices, config.targets))
        return cls(desk, config.tenants, config.gateway.reserve_output_tokens)

    def admit(
        self, ask: Continuing, caller: Caller, request: Request, parent: Link | None = None
    ) -> Lease:
        """Count a request; raise LimitReached and its kin where it may not be sent now.

        Raise BodyTooLarge, InvalidRequest and PriceUnknown where no waiting would help, and
        Unavailable where nobody knows what has been used. `parent` is what `ask` continues.
        """
        at = account(caller, self.tenants.get(caller.tenant, UNLIMITED))
        check_size(at.scopes, request.body)
        check_output(at.scopes, ask)
        if at.row is None:
            return Lease(self.desk)
        now = self.desk.clock()
        wanted = demand(ask, request.body, parent, self.usual_output)
        amounts = {m: self._amount(m, ask, wanted) for m in meters(at.scopes, now)}
        if any(amount > meter.most for meter, amount in amounts.items()):
            refuse(amounts, {}, now)  # whatever has been used
        held = _reservation(at.row, request, amounts)
        row = self._counted(held, amounts, caller, _until(request, now))
        return Lease(self.desk, held if held.id else None, ask.model, headers(amounts, row, now))

    def lease(self, form: Form | None) -> Lease:
        """The lease that a link carries, to be told how its request ended; None is a free one."""
        if form is None:
            return Lease(self.desk)
        counted = form["counted"]
        held = Reservation(form["row"], form["id"], counted, of_kinds(counted, SPENT))
        return Lease(self.desk, held, form["model"])

    def _counted(self, held: Reservation, amounts: Amounts, caller: Caller, until: float) -> Counts:
        most = {meter.counter: meter.most for meter in amounts}
        try:
            row = self.desk.reserves.count(held, most, until)
        except Exhausted as exc:
            tell_budgets(amounts, exc.row, caller)
            refuse(amounts, exc.row, self.desk.clock())
        tell_budgets(amounts, row, caller)
        return row

    def _amount(self, meter: Meter, ask: Continuing, wanted: Demand) -> int:
        if meter.kind == SPENT:
            return self._cost(ask, wanted)
        return wanted.within(meter.most) if meter.kind == TOKENS else 1

    def _cost(self, ask: Continuing, wanted: Demand) -> int:
        tier = ask.service_tier if isinstance(ask, CreateResponse) else None
        cost = self.desk.tariff.most(ask.model or "", wanted.input, wanted.output, tier)
        return refuse_unpriced(ask.model, tier) if cost is None else cost


def _reservation(row: str, request: Request, amounts: Amounts) -> Reservation:
    """Nothing is held of a request that has no end to be told of."""
    counted = {meter.counter: amount for meter, amount in amounts.items()}
    back = of_kinds(counted, IN_FLIGHT, SPENT)
    ends = back or of_kinds(counted, TOKENS)
    return Reservation(
        row, sha256(request.id.encode()).hexdigest()[:16] if ends else "", counted, back
    )


def _until(request: Request, now: float) -> float:
    """When Lambda must have ended the request, and its end has been told of or never will be."""
    return now + min(request.seconds_left, LONGEST) + GRACE
