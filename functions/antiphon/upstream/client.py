"""Calls one candidate after the other, while none before may have processed the request."""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence

from antiphon.errors import GatewayError, UpstreamNotReached, UpstreamRefusedUs
from antiphon.http import Attempt
from antiphon.observability import metrics
from antiphon.providers.errors import ProviderError
from antiphon.providers.provider import Candidate
from antiphon.settings.metrics import FAILOVERS
from antiphon.upstream.circuit_breaker import CircuitBreaker
from antiphon.upstream.credentials import Credentials
from antiphon.upstream.exchange import Exchange
from antiphon.upstream.outcome import (
    BAD_REQUEST,
    CREDENTIAL_REFUSED,
    NOT_FOUND,
    SUCCESS,
    UNAUTHORIZED,
    Outcome,
    UpstreamRequest,
    UpstreamResponse,
    error_preference,
    latest_end,
    outcome_at_end,
    policy_for,
    stream_of,
)

FIRST_PAUSE, MAX_PAUSE = 0.5, 8.0  # seconds between two looks for a parent; each pause doubles


class UpstreamClient:
    """Raise GatewayError while no byte of a response has been passed on."""

    def __init__(
        self,
        exchange: Exchange,
        credentials: Credentials,
        circuit_breaker: CircuitBreaker,
        visibility_seconds: float,
    ) -> None:
        """`visibility_seconds`: for how long a provider may not find what it just finished."""
        self._exchange = exchange
        self._credentials = credentials
        self._circuit_breaker = circuit_breaker
        self._visibility_seconds = visibility_seconds

    def send(self, candidates: Sequence[Candidate], request: UpstreamRequest) -> UpstreamResponse:
        """Return the first response that ends the search, or the best of all errors."""
        errors: list[tuple[str, Outcome]] = []
        for candidate in self._circuit_breaker.order(candidates):
            outcome = self._call(candidate, request)
            if not policy_for(outcome, candidate).fails_over:
                return _finish(candidate.target, outcome, request, errors)
            if (stream := stream_of(outcome)) is not None:
                stream.close()  # its events so far can still be iterated
            errors.append((candidate.target, outcome))
        target, outcome = min(errors, key=lambda error: error_preference(error[1]))
        return _finish(target, _hide_credential_refusal(outcome), request, errors)

    def _call(self, candidate: Candidate, request: UpstreamRequest) -> Outcome:
        """Call one candidate; every fault is an outcome."""
        if not (request.follows_new and candidate.provider.is_eventually_consistent):
            return self._call_authorized(candidate, request)
        left = min(latest_end(request), request.answers_by) - time.monotonic()
        seconds = min(self._visibility_seconds, left)
        return retry_until_visible(lambda: self._call_authorized(candidate, request), seconds)

    def _call_authorized(self, candidate: Candidate, request: UpstreamRequest) -> Outcome:
        """Call with the current credential, and once more with a renewed one after a 401."""
        try:
            credential = self._credentials.get(candidate.target)
        except GatewayError as exc:
            _record(request, candidate.target, exc, 0)
            return exc
        outcome = self._call_once(candidate, credential, request)
        if isinstance(outcome, UpstreamResponse) and outcome.status == UNAUTHORIZED:
            renewed = self._credentials.renew(candidate.target, credential)
            if renewed is not None:  # a request refused with 401 was not processed
                return self._call_once(candidate, renewed, request)
        return outcome

    def _call_once(
        self, candidate: Candidate, credential: str, request: UpstreamRequest
    ) -> Outcome:
        started = time.perf_counter()
        outcome: Outcome
        try:
            outcome = self._exchange.send(candidate, credential, request)
        except GatewayError as exc:
            outcome = exc
        seconds = time.perf_counter() - started
        self._learn(candidate.target, outcome)
        _record(request, candidate.target, outcome, seconds)
        return outcome

    def _learn(self, target: str, outcome: Outcome) -> None:
        """Record an outcome with its circuit; that of a stream or file is known at its end."""
        body = outcome.body if isinstance(outcome, UpstreamResponse) else b""
        if isinstance(body, bytes):
            self._circuit_breaker.record(target, outcome)
        else:
            body.on_close = lambda: self._circuit_breaker.record(target, outcome_at_end(outcome))


def retry_until_visible(call: Callable[[], Outcome], seconds: float) -> Outcome:
    """Repeat while the provider does not find the parent; give up where a pause would end late.

    Azure may not find a response for some seconds after it has finished it; a create that is
    refused for that was not begun. https://github.com/dotnet/extensions/issues/7704
    """
    ends_at, pause = time.monotonic() + seconds, FIRST_PAUSE
    outcome = call()
    while _misses_parent(outcome) and time.monotonic() + pause < ends_at:
        time.sleep(pause)
        pause = min(2 * pause, MAX_PAUSE)
        outcome = call()
    return outcome


def _misses_parent(outcome: Outcome) -> bool:
    if not isinstance(outcome, UpstreamResponse) or outcome.status not in {BAD_REQUEST, NOT_FOUND}:
        return False
    return ProviderError.of(outcome.content).misses_parent


def _record(request: UpstreamRequest, target: str, outcome: Outcome, seconds: float) -> None:
    status = outcome.reason if isinstance(outcome, UpstreamResponse) else outcome.code
    request.metrics.is_done |= request.method == "POST" and status in SUCCESS
    reason = str(outcome) if isinstance(outcome, UpstreamNotReached) else None
    request.metrics.add(Attempt(target, status, round(seconds * 1000, 1), reason))
    if request.metrics.has_failed_over:
        metrics.count(FAILOVERS)


def _finish(
    target: str,
    outcome: Outcome,
    request: UpstreamRequest,
    errors: Iterable[tuple[str, Outcome]],
) -> UpstreamResponse:
    """Add which target answered after how many attempts; raise the outcome if it is a fault."""
    for _, other in errors:
        if other is not outcome and isinstance(other, UpstreamResponse) and request.on_abandoned:
            request.on_abandoned(other)
    request.metrics.fields.update(target=target)
    headers: Mapping[str, str] = {
        "x-antiphon-target": target,
        "x-antiphon-attempts": str(len(request.metrics.attempts)),
    }
    if isinstance(outcome, GatewayError):
        raise outcome.with_headers(headers) from outcome
    return outcome.with_headers(headers)


def _hide_credential_refusal(outcome: Outcome) -> Outcome:
    """Replace what a provider says about the gateway's credential: the caller has none there."""
    if not isinstance(outcome, UpstreamResponse) or outcome.status not in CREDENTIAL_REFUSED:
        return outcome
    return UpstreamRefusedUs(
        "The provider refuses the gateway's own credential. Your key is valid; "
        "contact the operators of the gateway."
    )
