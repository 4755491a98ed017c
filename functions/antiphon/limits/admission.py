"""Admits a request under all limits of its caller, by one write; estimates what it may use."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import NamedTuple, Self

from antiphon.auth import Auth, Caller
from antiphon.errors import NO_HEADERS
from antiphon.http import Request
from antiphon.limits.counters import (
    IN_FLIGHT,
    REQUESTS,
    SPENT,
    TOKENS,
    LimitCounter,
    account_of,
    is_stale,
    limit_counters,
    of_kinds,
)
from antiphon.limits.refusals import (
    Headers,
    check_output,
    check_size,
    limit_reached,
    price_unknown,
    rate_limit_headers,
    requested_output_tokens,
)
from antiphon.limits.reservation import Reservation, ReservationJson, ReservedAmounts
from antiphon.observability import logger, metrics
from antiphon.pricing import CostEstimator, Prices
from antiphon.schema.create import ModelRequest
from antiphon.settings.config import UNLIMITED, Config, Limits
from antiphon.settings.metrics import BUDGET_ALERT_PERCENT, BUDGET_USED
from antiphon.store.dynamodb import Table, WriteUnknown
from antiphon.store.limit_rows import LimitExceeded, LimitRows
from antiphon.store.links import Link
from antiphon.store.queue import Queue
from antiphon.store.reservations import Counts, Increment, StoredReservation

HOUR = 3_600.0  # seconds
GRACE_SECONDS = 60.0  # after the invocation, in which its end may still be recorded

# English prose has about four bytes for each token, code and other scripts have three:
# https://platform.openai.com/docs/concepts/tokens
BYTES_PER_TOKEN = 3
DATA_URL_START = b'"data:'  # of an image or a file inside the request
# https://platform.openai.com/docs/guides/images-vision#calculating-costs
IMAGE_TOKENS = 1_600
FILE_BYTES_PER_TOKEN = 30  # of a file in Base64: there a page of text has about 40 kB

type LimitAmounts = Mapping[LimitCounter, int]  # what a request needs of each limit


class TokenEstimate(NamedTuple):
    """Tokens that a request may use; `is_bound`: whether the request itself limits its output."""

    input: int
    output: int
    is_bound: bool

    @property
    def total(self) -> int:
        return self.input + self.output

    def within(self, maximum: int) -> int:
        """Return what counts against a limit.

        An output that is only guessed takes no more than the limit leaves for it.
        """
        return self.total if self.is_bound else max(self.input, min(self.total, maximum))


@dataclass(frozen=True, eq=False, repr=False)
class Admission:
    rows: LimitRows
    queue: Queue
    costs: CostEstimator
    tenants: Mapping[str, Limits]  # limits for all keys of a tenant together
    default_output_tokens: int  # reserved where a request does not limit its output

    @classmethod
    def from_config(cls, table: Table, queue: Queue, prices: Prices, config: Config) -> Self:
        settle_seconds = (config.gateway.settle_hours + 1) * HOUR  # the last poll takes a while
        rows = LimitRows(table, settle_seconds, is_stale)
        costs = CostEstimator(prices, config.targets)
        return cls(rows, queue, costs, config.tenants, config.gateway.reserve_output_tokens)

    def admit(
        self, body: ModelRequest, caller: Caller, request: Request, parent: Link | None = None
    ) -> Reservation:
        """Count a request; `parent` is the response that it continues.

        Raise LimitReached or one of its subclasses if the request may not be sent now;
        BodyTooLarge, InvalidRequest or PriceUnknown if it may never be sent; Unavailable if the
        table does not answer.
        """
        shared = self.tenants.get(caller.tenant, UNLIMITED)
        if shared == UNLIMITED and caller.limits == UNLIMITED:
            return self._reservation(None)
        account = account_of(caller, shared)
        check_size(account.scopes, request)
        check_output(account.scopes, body)
        if account.row is None:
            return self._reservation(None)
        now = self.rows.clock()
        estimate = estimate_tokens(body, request.body, parent, self.default_output_tokens)
        limits = limit_counters(account.scopes, now)
        amounts = {limit: self._amount(limit, body, estimate) for limit in limits}
        if any(amount > limit.maximum for limit, amount in amounts.items()):
            raise limit_reached(amounts, None, now)
        reserved = _reserve(account.row, request, amounts)
        # By then its end is recorded, or never will be.
        expires_at = request.ends_by(now) + GRACE_SECONDS
        try:
            row = self._count(reserved.stored, amounts, caller, expires_at)
        except WriteUnknown:  # it will not be used, so it is given back if it was made
            self._reservation(reserved).release()
            raise
        return self._reservation(reserved, rate_limit_headers(amounts, row, now))

    def admit_call(self, caller: Caller, request: Request) -> None:
        """Count a request that generates nothing: it is one of its minute, and costs nothing.

        Raise LimitReached, BodyTooLarge, or Unavailable if the table does not answer.
        """
        shared = self.tenants.get(caller.tenant, UNLIMITED)
        if shared == UNLIMITED and caller.limits == UNLIMITED:
            return
        account, now = account_of(caller, shared), self.rows.clock()
        check_size(account.scopes, request)
        counters = limit_counters(account.scopes, now)
        amounts = {limit: 1 for limit in counters if limit.kind == REQUESTS}
        if account.row is not None and amounts:
            without_end = StoredReservation(account.row, "", {})
            self._count(without_end, amounts, caller, request.ends_by(now) + GRACE_SECONDS)

    def reservation_from(self, stored: ReservationJson | None) -> Reservation:
        """Return the reservation that a link stores; None is one without limits."""
        reserved = None if stored is None else ReservedAmounts.from_json(stored)
        return self._reservation(reserved)

    def _reservation(
        self, reserved: ReservedAmounts | None, headers: Headers = NO_HEADERS
    ) -> Reservation:
        has_end = reserved is not None and reserved.stored.id
        return Reservation(
            self.rows, self.costs, self.queue, reserved if has_end else None, headers
        )

    def _count(
        self,
        reservation: StoredReservation,
        amounts: LimitAmounts,
        caller: Caller,
        expires_at: float,
    ) -> Counts:
        increments = [Increment(limit.name, n, limit.maximum) for limit, n in amounts.items()]
        try:
            row = self.rows.count(reservation, increments, expires_at)
        except LimitExceeded as exc:
            report_budgets(amounts, exc.row, caller)
            raise limit_reached(amounts, exc.row, self.rows.clock()) from exc
        report_budgets(amounts, row, caller)
        return row

    def _amount(self, limit: LimitCounter, body: ModelRequest, estimate: TokenEstimate) -> int:
        if limit.kind == SPENT:
            return self._cost(body, estimate)
        return estimate.within(limit.maximum) if limit.kind == TOKENS else 1

    def _cost(self, body: ModelRequest, estimate: TokenEstimate) -> int:
        tier = body.service_tier
        cost = self.costs.max_cost(body.model or "", estimate.input, estimate.output, tier)
        if cost is None:
            raise price_unknown(body.model, tier)
        return cost


@dataclass(frozen=True, eq=False, repr=False)
class Gate:
    """Where every call but those that generate something is let in."""

    auth: Auth
    admission: Admission

    def admit(self, request: Request) -> Caller:
        """Raise Unauthenticated, or what `Admission.admit_call` raises."""
        caller = self.auth.identify(request)
        self.admission.admit_call(caller, request)
        return caller


def estimate_tokens(
    body: ModelRequest, content: bytes, parent: Link | None, default_output: int
) -> TokenEstimate:
    """Estimate a request's tokens before it is sent, rather too high than too low.

    The estimate is what is reserved. It cannot be exact: what a provider adds of files and tools
    is not in the request. Input and output of `parent` count as input.
    """
    requested = requested_output_tokens(body)
    output = default_output if requested is None else requested
    input = _input_tokens(content) + _parent_tokens(parent)
    return TokenEstimate(input, output, is_bound=requested is not None)


def report_budgets(amounts: LimitAmounts, row: Counts, caller: Caller) -> None:
    """Measure the used part of each budget; log it at BUDGET_ALERT_PERCENT.

    `row`: the counters after this request.
    """
    for limit, amount in amounts.items():
        if limit.kind == SPENT:
            used = 100 * row.get(limit.name, 0) / limit.maximum
            metrics.measure({BUDGET_USED: round(used, 1)})
            if used >= BUDGET_ALERT_PERCENT > used - 100 * amount / limit.maximum:
                about = {"tenant": caller.tenant, "key_id": caller.key_id, "used": round(used)}
                logger.warning("budget near its end", extra={"budget": limit.scope.name, **about})


def _reserve(row: str, request: Request, amounts: LimitAmounts) -> ReservedAmounts:
    """Return the amounts to reserve; a request that changes no counter at its end gets no id."""
    counted = {limit.counter: amount for limit, amount in amounts.items()}
    refund = {limit.name: n for limit, n in amounts.items() if limit.kind in (IN_FLIGHT, SPENT)}
    has_end = bool(refund or of_kinds(counted, TOKENS))
    id = sha256(request.id.encode()).hexdigest()[:16] if has_end else ""
    return ReservedAmounts(StoredReservation(row, id, refund), counted)


def _input_tokens(content: bytes) -> int:
    text_bytes, data_tokens = len(content), 0
    for start, end in _data_urls(content):
        text_bytes -= end - start
        is_image = content.startswith(b"image/", start + len(DATA_URL_START))
        data_tokens += IMAGE_TOKENS if is_image else (end - start) // FILE_BYTES_PER_TOKEN
    return text_bytes // BYTES_PER_TOKEN + data_tokens + 1


def _data_urls(content: bytes) -> Iterator[tuple[int, int]]:
    """Yield the start and the end of each image and file inside the request."""
    start = content.find(DATA_URL_START)
    while start >= 0:
        end = content.find(b'"', start + len(DATA_URL_START))
        end = len(content) if end < 0 else end
        yield start, end
        start = content.find(DATA_URL_START, end)


def _parent_tokens(parent: Link | None) -> int:
    usage = parent.usage if parent is not None else None
    total = (usage or {}).get("total_tokens")
    return total if isinstance(total, int) else 0
