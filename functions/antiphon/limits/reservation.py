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

from antiphon.errors import (
    GatewayError,
    LinkNotWritten,
    UpstreamFailed,
    UpstreamNotReached,
    UpstreamRefusedUs,
)
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


type ReservationJson = dict[str, Any]  # a lease as JSON, for a link to carry
type Usage = Mapping[str, Any]

NO_HEADERS: Mapping[str, str] = MappingProxyType({})
NOT_STARTED = (UpstreamNotReached, UpstreamRefusedUs)
STARTED = (UpstreamFailed, LinkNotWritten)
UNCLEAR = {502, 504}  # said by what stands before a provider: it may have worked on


@dataclass(frozen=True)
class Settlement:
    """What leases are settled with."""

    reserves: LimitRows
    tariff: CostEstimator
    clock: Callable[[], float] = time.time  # epoch seconds


class Reservation:
    """Say how the request ended; what is said again, here or elsewhere, changes nothing.

    | it ended | say | and it counts with |
    |---|---|---|
    | with usage | `settle(usage)` | its tokens and its price |
    | not yet: background, cut, abandoned | `settle(None)` | what is reserved, until it is settled |
    | without a start, or a price: refused | `release()` | itself, as one request of its minute |
    | and nobody will know how | `forfeit()` | what is reserved, for good |

    `tell` says it of a link, `answered` of a status; `with lease:` says it of what is raised.
    Nothing is raised here, for the caller has the answer. Each gives whether it is written down;
    what is not can be said again of the lease that `Admission.lease` makes of this one's `form`.
    """

    def __init__(
        self,
        desk: Settlement,
        held: HeldAmounts | None = None,
        model: str | None = None,
        headers: Mapping[str, str] = NO_HEADERS,
    ) -> None:
        self.headers = dict(headers)  # for the caller, before those of the provider
        self._desk = desk
        self._held = held
        self._model = model
        self._ended = False

    @property
    def form(self) -> ReservationJson | None:
        """None where there is nothing to say of how the request ended."""
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
        """`model` has one or more names; the others are the tier and the target that served it."""
        if usage is None:
            return self._said(self._keep)
        names = [model] if isinstance(model, str) else [*(model or ())]

        def end(held: HeldAmounts) -> None:
            spent = None
            if of_kinds(held.counted, SPENT):
                spent = self._desk.tariff.cost([*names, self._model], usage, target, service_tier)
            self._end(held, spent, _total(usage))

        return self._said(end, last=True)

    def release(self) -> bool:
        return self._said(partial(self._end, spent=0, tokens=0), last=True)

    def forfeit(self) -> bool:
        return self._said(partial(self._end, spent=None, tokens=None), last=True)

    def tell(self, link: Link) -> bool:
        """What is known of the response by now; what ended without usage is not billed."""
        if link.usage is not None:
            names = (link.upstream_model, link.model)
            return self.settle(link.usage, link.service_tier, names, link.target)
        if link.final:
            return self.release()
        return self.settle(None) if link.pending else self.forfeit()

    def answered(self, status: int) -> bool:
        """An error was all that came."""
        return self.forfeit() if status in UNCLEAR else self.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if exc is None:
            return
        started = isinstance(exc, STARTED) and not isinstance(exc, NOT_STARTED)
        if started or not isinstance(exc, GatewayError):
            self.forfeit()
        else:
            self.release()

    def _said(self, say: Callable[[HeldAmounts], None], *, last: bool = False) -> bool:
        if self._held is None or self._ended:
            return True
        try:
            say(self._held)
        except Exception as exc:  # noqa: BLE001  the answer is worth more than its bookkeeping
            about = {"lease": self._held.id, "error": type(exc).__name__}
            logger.error("lease not settled", extra=about)
            return False
        self._ended = last
        return True

    def _keep(self, held: HeldAmounts) -> None:
        """It is in flight no more, but what it may cost stays reserved."""
        self._desk.reserves.keep(held, of_kinds(held.counted, SPENT))

    def _end(self, held: HeldAmounts, spent: int | None, tokens: int | None) -> None:
        now = self._desk.clock()
        self._desk.reserves.close(held, corrections(held.counted, spent, tokens, now))


def _total(usage: Usage) -> int | None:
    total = usage.get("total_tokens")
    return total if isinstance(total, int) else None
