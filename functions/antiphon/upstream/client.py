"""Azure may not find a response for some seconds after it has finished: then a retry helps.

A create that is refused so was not begun. https://github.com/dotnet/extensions/issues/7704


What was tried for one request, as the log and the caller are told of it.

One target's turn: with a credential that holds, and patience for what it cannot know yet.

The only room that talks to providers: a plan and a request in, an answer at its first event.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from antiphon.errors import GatewayError, UpstreamRefusedUs
from antiphon.http import Request
from antiphon.observability import logger, metrics
from antiphon.providers.errors import ProviderError
from antiphon.providers.provider import Candidate
from antiphon.settings.metrics import FAILOVERS
from antiphon.upstream.circuit_breaker import CircuitBreaker
from antiphon.upstream.credentials import Credentials
from antiphon.upstream.exchange import Exchange, latest_end
from antiphon.upstream.outcome import (
    CREDENTIAL_REFUSED,
    Outcome,
    UpstreamRequest,
    UpstreamResponse,
    error_preference,
    not_processed,
)

FIRST_PAUSE, LONGEST_PAUSE = 0.5, 8.0  # seconds between two attempts; each pause doubles


def retry_until_visible(ask: Callable[[], Outcome], seconds: float) -> Outcome:
    """Repeat while the provider does not find the parent; give up where a pause would end late."""
    ends_at, pause = time.monotonic() + seconds, FIRST_PAUSE
    outcome = ask()
    while _misses_parent(outcome) and time.monotonic() + pause < ends_at:
        time.sleep(pause)
        pause = min(2 * pause, LONGEST_PAUSE)
        outcome = ask()
    return outcome


def _misses_parent(outcome: Outcome) -> bool:
    if not isinstance(outcome, UpstreamResponse) or outcome.status not in {400, 404}:
        return False
    return ProviderError.of(outcome.whole).misses_parent


class Attempts:
    def __init__(self) -> None:
        self._made: list[dict[str, Any]] = []

    def note[O: Outcome](self, target: str, outcome: O, seconds: float) -> O:
        """Keep how an attempt went; the log line of the request will have it."""
        status = outcome.status if isinstance(outcome, UpstreamResponse) else outcome.code
        ms = round(seconds * 1000, 1)
        metrics.waited_ms += seconds * 1000
        if self._made and self._made[-1]["target"] != target:
            metrics.count(FAILOVERS)
        self._made.append({"target": target, "status": status, "ms": ms})
        logger.append_keys(attempts=self._made)
        return outcome

    def told_by(self, target: str, outcome: Outcome) -> UpstreamResponse:
        """The answer that says which target gave it and how many were asked; raise the fault."""
        told = {"x-antiphon-target": target, "x-antiphon-attempts": str(len(self._made))}
        if isinstance(outcome, GatewayError):
            outcome.headers = {**outcome.headers, **told}
            raise outcome
        return outcome.with_headers(told)


UNAUTHORIZED = 401


@dataclass(frozen=True)
class Means:
    """What every trial is made with."""

    exchange: Exchange
    credentials: Credentials
    breaker: CircuitBreaker
    lag_seconds: float  # for which a provider may not know what it has just finished


@dataclass(frozen=True)
class Trial:
    means: Means
    request: Request
    call: UpstreamRequest
    attempts: Attempts

    def at(self, step: Candidate) -> Outcome:
        """Ask a target; every fault is an outcome."""
        ask = partial(self._authorised, step)
        if not (self.call.follows_new and step.provider.lags):
            return ask()
        left = latest_end(self.request) - time.monotonic()
        return retry_until_visible(ask, min(self.means.lag_seconds, left))

    def _authorised(self, step: Candidate) -> Outcome:
        try:
            credential = self.means.credentials.get(step.target)
        except GatewayError as exc:
            return self.attempts.note(step.target, exc, 0)
        outcome = self._once(step, credential)
        if isinstance(outcome, UpstreamResponse) and outcome.status == UNAUTHORIZED:
            renewed = self.means.credentials.renew(step.target, credential)
            if renewed is not None:  # what was refused so was not processed
                return self._once(step, renewed)
        return outcome

    def _once(self, step: Candidate, credential: str) -> Outcome:
        started = time.perf_counter()
        outcome: Outcome
        try:
            outcome = self.means.exchange.send(step, credential, self.request, self.call)
        except GatewayError as exc:
            outcome = exc
        self.means.breaker.note(step.target, outcome)
        return self.attempts.note(step.target, outcome, time.perf_counter() - started)


class UpstreamClient:
    """Asks one target after the other, as long as those before certainly began nothing."""

    def __init__(self, means: Means) -> None:
        self._means = means

    def send(
        self, steps: Sequence[Candidate], request: Request, call: UpstreamRequest
    ) -> UpstreamResponse:
        """Raise UpstreamFailed and its kin while no byte of the answer has been passed on."""
        attempts = Attempts()
        trial = Trial(self._means, request, call, attempts)
        refusals: list[tuple[str, Outcome]] = []
        for step in self._means.breaker.order(steps):
            outcome = trial.at(step)
            if not not_processed(outcome, step):
                return attempts.told_by(step.target, outcome)
            refusals.append((step.target, outcome))
        target, outcome = min(refusals, key=lambda refusal: error_preference(refusal[1]))
        return attempts.told_by(target, _hide_credential_refusal(outcome))


def _hide_credential_refusal(outcome: Outcome) -> Outcome:
    """What a provider says of the gateway's credential is for the caller no word about its own."""
    if not isinstance(outcome, UpstreamResponse) or outcome.status not in CREDENTIAL_REFUSED:
        return outcome
    return UpstreamRefusedUs(
        "The provider refuses the gateway's own credential. Your key is in order; "
        "tell those who run the gateway."
    )
