"""What a request may come to use, guessed before it is sent, rather too high than too low.

Nobody can know: what a provider adds of an earlier response, of files and of tools is not in the
request. So this is what is reserved, and what it really used takes its place when it is known.


What a request has been counted with, until it is known what it used.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType, TracebackType
from typing import Any, NamedTuple, Self

from antiphon.errors import GatewayError
from antiphon.limits.counters import IN_FLIGHT, SPENT, TOKENS, corrections, of_kinds
from antiphon.observability import logger
from antiphon.pricing import CostEstimator, ModelNames
from antiphon.schema.create import CreateResponse, ModelRequest
from antiphon.store.links import Link
from antiphon.store.reservations import HeldAmounts, LimitRows

# English prose has about four bytes for a token, code and other scripts three:
# https://platform.openai.com/docs/concepts/tokens
BYTES_PER_TOKEN = 3
INLINE_DATA = b'"data:'  # how an image or a file begins that stands in the request itself
IMAGE_TOKENS = (
    1_600  # tokens; https://platform.openai.com/docs/guides/images-vision#calculating-costs
)
FILE_BYTES_PER_TOKEN = 30  # of a file in Base64, for a token: a page of text takes some 40 kB there


class TokenEstimate(NamedTuple):
    """Tokens in, and tokens out; `bound` is whether the request itself says how many at most."""

    input: int
    output: int
    bound: bool

    @property
    def tokens(self) -> int:
        return self.input + self.output

    def within(self, most: int) -> int:
        """What counts against a limit: where the output is a mere guess, no more than all of it."""
        return self.tokens if self.bound else max(self.input, min(self.tokens, most))


def estimate_tokens(
    ask: ModelRequest, body: bytes, parent: Link | None, usual_output: int
) -> TokenEstimate:
    """`parent` is the response that is continued: what it had read and said is read again."""
    asked = requested_output_tokens(ask)
    output = usual_output if asked is None else asked
    return TokenEstimate(_tokens(body) + _context(parent), output, bound=asked is not None)


def requested_output_tokens(ask: ModelRequest) -> int | None:
    if not isinstance(ask, CreateResponse):
        return None
    return ask.max_output_tokens or ask.max_tokens


def _tokens(body: bytes) -> int:
    text, extra = len(body), 0
    for start, end in _inline(body):
        text -= end - start
        image = body.startswith(b"image/", start + len(INLINE_DATA))
        extra += IMAGE_TOKENS if image else (end - start) // FILE_BYTES_PER_TOKEN
    return text // BYTES_PER_TOKEN + extra + 1


def _inline(body: bytes) -> Iterator[tuple[int, int]]:
    start = body.find(INLINE_DATA)
    while start >= 0:
        end = body.find(b'"', start + len(INLINE_DATA))
        end = len(body) if end < 0 else end
        yield start, end
        start = body.find(INLINE_DATA, end)


def _context(parent: Link | None) -> int:
    used = parent.usage if parent is not None else None
    total = (used or {}).get("total_tokens")
    return total if isinstance(total, int) else 0


type ReservationJson = dict[str, Any]  # a reservation as JSON, stored with a link
type Usage = Mapping[str, Any]

NO_HEADERS: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True)
class Settlement:
    """What reservations are settled with."""

    rows: LimitRows
    costs: CostEstimator
    clock: Callable[[], float] = time.time  # epoch seconds


class Reservation:
    """What one request is counted with until its usage is known; every method is idempotent.

    | the request ended | method | counted then |
    |---|---|---|
    | with usage | `settle(usage)` | its tokens and its price |
    | not yet: background, cut, abandoned | `settle(None)` | what is reserved, until it is settled |
    | refused, or without anything to pay | `release()` | one request of its minute |
    | and its usage will never be known | `keep_reserved()` | what is reserved, for good |

    `settle_for` chooses by a link, `end` by the policy for a status, and a `with` block by the
    exception that leaves it. Nothing is raised here, for the caller has the response already.
    Each method returns whether its outcome is written; one that is not can be repeated with the
    reservation that `Admission.reservation_from` makes of this one's JSON.
    """

    def __init__(
        self,
        settlement: Settlement,
        held: HeldAmounts | None = None,
        model: str | None = None,
        headers: Mapping[str, str] = NO_HEADERS,
    ) -> None:
        self.headers = dict(headers)  # for the caller; they go before the provider's
        self._settlement = settlement
        self._held = held
        self._model = model
        self._has_ended = False

    def to_json(self) -> ReservationJson | None:
        """Return None where the end of the request changes no counter."""
        held = self._held
        if held is None:
            return None
        counted = of_kinds(held.counted, IN_FLIGHT, SPENT, TOKENS)
        return {"row": held.row, "id": held.id, "counted": counted, "model": self._model}

    def settle(
        self,
        usage: Usage | None,
        service_tier: str | None = None,
        model: ModelNames | None = None,
        target: str | None = None,
    ) -> bool:
        """`model`: one or more names; `service_tier` and `target`: those that served it."""
        if usage is None:
            return self._write(self._keep)
        names = [model] if isinstance(model, str) else [*(model or ())]

        def close(held: HeldAmounts) -> None:
            spent = None
            if of_kinds(held.counted, SPENT):
                costs = self._settlement.costs
                spent = costs.cost([*names, self._model], usage, target, service_tier)
            self._close(held, spent, _total(usage))

        return self._write(close, is_last=True)

    def release(self) -> bool:
        return self._write(partial(self._close, spent=0, tokens=0), is_last=True)

    def keep_reserved(self) -> bool:
        return self._write(partial(self._close, spent=None, tokens=None), is_last=True)

    def settle_for(self, link: Link) -> bool:
        """Settle with what a link records; a response that ended without usage costs nothing."""
        if link.usage is not None:
            names = (link.upstream_model, link.model)
            return self.settle(link.usage, link.service_tier, names, link.target)
        if link.is_final:
            return self.release()
        return self.settle(None) if link.is_pending else self.keep_reserved()

    def end(self, *, charges: bool) -> bool:
        """End a request that has only an error to show."""
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

    def _write(self, write: Callable[[HeldAmounts], None], *, is_last: bool = False) -> bool:
        if self._held is None or self._has_ended:
            return True
        try:
            write(self._held)
        except Exception as exc:  # noqa: BLE001  the response is worth more than its bookkeeping
            about = {"reservation": self._held.id, "error": type(exc).__name__}
            logger.error("reservation not settled", extra=about)
            return False
        self._has_ended = is_last
        return True

    def _keep(self, held: HeldAmounts) -> None:
        """Count it as in flight no longer; what it may cost stays reserved."""
        self._settlement.rows.keep(held, of_kinds(held.counted, SPENT))

    def _close(self, held: HeldAmounts, spent: int | None, tokens: int | None) -> None:
        now = self._settlement.clock()
        self._settlement.rows.close(held, corrections(held.counted, spent, tokens, now))


def _total(usage: Usage) -> int | None:
    total = usage.get("total_tokens")
    return total if isinstance(total, int) else None
