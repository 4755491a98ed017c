"""What one request is counted with, from its admission until its usage is known."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from types import TracebackType
from typing import Any, Self

from antiphon.errors import NO_HEADERS, GatewayError, Unavailable
from antiphon.limits.counters import (
    IN_FLIGHT,
    SPENT,
    TOKENS,
    Amounts,
    corrections,
    from_counts,
    of_kinds,
    to_counts,
)
from antiphon.observability import logger
from antiphon.pricing import CostEstimator
from antiphon.store.limit_rows import LimitRows
from antiphon.store.links import Link
from antiphon.store.queue import Queue, SettleReservation
from antiphon.store.reservations import Counts, StoredReservation

type ReservationJson = dict[str, Any]  # stored with a link: `row`, `id`, `counted`
type Usage = Mapping[str, Any]


@dataclass(frozen=True)
class ReservedAmounts:
    """The amounts that a request is counted with, and where they are stored."""

    stored: StoredReservation
    amounts: Amounts

    def to_json(self) -> ReservationJson:
        counted = to_counts(of_kinds(self.amounts, IN_FLIGHT, SPENT, TOKENS))
        return {"row": self.stored.row, "id": self.stored.id, "counted": counted}

    @classmethod
    def from_json(cls, stored: ReservationJson) -> Self:
        """Read a reservation that is extended: only its cost is given back if it expires."""
        amounts = from_counts(stored["counted"])
        refund = to_counts(of_kinds(amounts, SPENT))
        reservation = StoredReservation(stored["row"], stored["id"], refund)
        return cls(reservation, amounts)


class Reservation:
    """The reservation of one request; without limits it holds nothing. Methods are idempotent.

    | the request ended | method | counted then |
    |---|---|---|
    | with usage | `settle_for(link)` | its tokens and its cost |
    | not yet: background, cut, abandoned | `settle_for(link)` | what is reserved, for now |
    | refused, or without anything to pay | `release()` | one request of its minute |
    | and its usage will never be known | `keep_reserved()` | what is reserved, for good |

    `end` chooses by the policy for a status, and a `with` block by the exception that leaves it.
    Nothing is raised here, for the caller has the response already.
    What the table does not take waits in the queue. Each method returns whether one of them has its
    outcome; one that is lost can be repeated with the reservation that `Admission.reservation_from`
    makes of this one's JSON.
    """

    def __init__(
        self,
        rows: LimitRows,
        costs: CostEstimator,
        queue: Queue,
        reserved: ReservedAmounts | None = None,
        headers: Mapping[str, str] = NO_HEADERS,
    ) -> None:
        """`headers`: the rate limit headers of the caller's response."""
        self.headers = dict(headers)
        self._rows = rows
        self._costs = costs
        self._queue = queue
        self._reserved = reserved
        self._has_ended = False

    def to_json(self) -> ReservationJson | None:
        """Return None where the end of the request changes no counter."""
        return None if self._reserved is None else self._reserved.to_json()

    def release(self) -> bool:
        return self._write(partial(self._close, cost=0, tokens=0), is_last=True)

    def keep_reserved(self) -> bool:
        return self._write(partial(self._close, cost=None, tokens=None), is_last=True)

    def settle_for(self, link: Link) -> bool:
        """Settle with what a link records; a response that ended without usage costs nothing."""
        if link.usage is not None:
            return self._write(partial(self._settle, link), is_last=True)
        if link.is_final:
            return self.release()
        return self._write(self._extend) if link.is_pending else self.keep_reserved()

    def end(self, *, charges: bool) -> bool:
        """End a request that has only an error as its outcome."""
        return self.keep_reserved() if charges else self.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if exc is not None:
            self.end(charges=not isinstance(exc, GatewayError) or exc.processed != "no")

    def _write(
        self, outcome: Callable[[ReservedAmounts], Amounts], *, is_last: bool = False
    ) -> bool:
        if self._reserved is None or self._has_ended:
            return True
        try:
            counts = to_counts(outcome(self._reserved))
            self._record(self._reserved.stored, counts, is_open=not is_last)
        except Exception as exc:  # noqa: BLE001  the response is worth more than its bookkeeping
            about = {"reservation": self._reserved.stored.id, "error": type(exc).__name__}
            logger.error("reservation not settled", extra=about)
            return False
        self._has_ended = is_last
        return True

    def _record(self, stored: StoredReservation, counts: Counts, *, is_open: bool) -> None:
        try:
            self._rows.settle(stored, counts, is_open=is_open)
        except Unavailable:
            self._queue.send(SettleReservation(*stored, counts, is_open))

    def _settle(self, link: Link, reserved: ReservedAmounts) -> Amounts:
        has_cost = of_kinds(reserved.amounts, SPENT)
        cost = self._costs.budget_cost(link) if has_cost else None
        return self._close(reserved, cost, _total_tokens(link.usage or {}))

    def _extend(self, reserved: ReservedAmounts) -> Amounts:
        """The response is not in flight any more; its cost stays reserved."""
        return of_kinds(reserved.amounts, SPENT)

    def _close(self, reserved: ReservedAmounts, cost: int | None, tokens: int | None) -> Amounts:
        return corrections(reserved.amounts, cost, tokens, self._rows.clock())


def _total_tokens(usage: Usage) -> int | None:
    total = usage.get("total_tokens")
    return total if isinstance(total, int) else None
