"""Runs all cases against an endpoint, and counts what passes."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import httpx

from infra.conformance.create_cases import CREATE_CASES
from infra.conformance.endpoint import Endpoint, Violation
from infra.conformance.stream_cases import STREAM_CASES
from infra.conformance.transport_cases import TRANSPORT_CASES

type Case = Callable[[Endpoint], None]
type Verdict = Literal["passes", "by design", "fails"]

SPECIFICATION = "Open Responses 2026-04-24"
CASES: Sequence[Case] = (*CREATE_CASES, *STREAM_CASES, *TRANSPORT_CASES)
NO_WEBSOCKET = (
    "A Lambda function cannot serve a WebSocket; the upgrade is refused with 426, after which "
    "clients use HTTP."
)
# What the gateway does otherwise on purpose.
BY_DESIGN: Mapping[str, str] = {
    "done-sentinel": "The provider's bytes pass unchanged, and OpenAI and Azure send no [DONE].",
    "websocket-response": NO_WEBSOCKET,
    "websocket-continuation": NO_WEBSOCKET,
    "websocket-errors": NO_WEBSOCKET,
}


@dataclass(frozen=True)
class CaseResult:
    """`observed` is what the endpoint did instead; empty if the case passes."""

    name: str
    requires: str
    verdict: Verdict
    observed: str = ""
    reason: str = ""


@dataclass(frozen=True)
class Score:
    """The results of one run; the percentage counts what is by design as not passed."""

    url: str
    model: str
    results: Sequence[CaseResult]

    @property
    def counts(self) -> Counter[Verdict]:
        return Counter(result.verdict for result in self.results)

    @property
    def percent(self) -> float:
        return round(100 * self.counts["passes"] / len(self.results), 1)

    @property
    def sentence(self) -> str:
        counts = self.counts
        return (
            f"{counts['passes']} of {len(self.results)} cases pass ({self.percent} %), "
            f"{counts['by design']} differ by design, {counts['fails']} fail."
        )

    def to_json(self) -> dict[str, Any]:
        return {
            "specification": SPECIFICATION,
            "url": self.url,
            "model": self.model,
            "percent": self.percent,
            "counts": dict(self.counts),
            "cases": [asdict(result) for result in self.results],
        }


def run_cases(endpoint: Endpoint, cases: Sequence[Case] = CASES) -> Score:
    """Run the cases one after the other, also behind one that fails."""
    results = [_run(case, endpoint) for case in cases]
    return Score(str(endpoint.client.base_url), endpoint.model, results)


def _run(case: Case, endpoint: Endpoint) -> CaseResult:
    name = case.__name__.replace("_", "-")
    requires = case.__doc__ or ""
    observed = _observe(case, endpoint)
    if observed is None:
        return CaseResult(name, requires, "passes")
    reason = BY_DESIGN.get(name, "")
    return CaseResult(name, requires, "by design" if reason else "fails", observed, reason)


def _observe(case: Case, endpoint: Endpoint) -> str | None:
    """Return what is wrong, or None."""
    try:
        case(endpoint)
    except Violation as exc:
        return str(exc)
    except httpx.HTTPError as exc:
        return f"{type(exc).__name__}: {exc}"
    except (LookupError, TypeError, ValueError) as exc:  # the shape is not what the case reads
        return f"The answer cannot be read: {type(exc).__name__}: {exc}"
    return None
