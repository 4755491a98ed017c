"""Skips targets that fail; one request probes them again, and a success closes the circuit."""

from collections import Counter
from collections.abc import Iterable, Iterator

from antiphon.errors import GatewayError
from antiphon.observability import logger, metrics
from antiphon.providers.provider import Candidate
from antiphon.settings.metrics import ALL_OPEN, CIRCUITS_OPENED
from antiphon.store.circuits import Circuits
from antiphon.upstream.outcome import (
    Outcome,
    policy_without_body,
    retry_after,
)

PROBE_MS = 30_000  # after which another request may probe, when nothing was heard of the first


class CircuitBreaker:
    """Counts failures in a row in this environment; shares open circuits with all of them."""

    def __init__(self, circuits: Circuits, failures: int, seconds: float) -> None:
        self._circuits = circuits
        self._failures = failures
        self._seconds = seconds
        self._failed: Counter[str] = Counter()

    def order(self, candidates: Iterable[Candidate]) -> Iterator[Candidate]:
        """Yield the candidates to call; one with an open circuit only where no other is left.

        Of several with an open circuit it is the one that closes first: no caller is refused for
        what the gateway believes, and none waits for all of them.
        """
        skipped = []
        candidates = tuple(candidates)
        if len(candidates) == 1 and self._is_skippable(candidates[0]):
            metrics.count(ALL_OPEN)
        for candidate in candidates:
            if len(candidates) == 1 or self._may_call(candidate.target):
                yield candidate
            else:
                skipped.append(candidate)
        if skipped:
            metrics.count(ALL_OPEN)
            yield min(skipped, key=lambda candidate: self._circuits.open_until(candidate.target))

    def record(self, target: str, outcome: Outcome) -> None:
        """Learn from an attempt; nothing is written while a target is healthy."""
        if policy_without_body(outcome).counts_against_circuit:
            self._add_failure(target, retry_after(outcome))
            return
        if isinstance(outcome, GatewayError):
            return  # the target was not called, or had no time: that says nothing about it
        self._failed.pop(target, None)
        if self._circuits.open_until(target):
            logger.info("circuit closed", extra={"target": target})
            self._circuits.close(target)

    def _is_skippable(self, candidate: Candidate) -> bool:
        """Whether another target could serve this; what one target stores, only it can."""
        return (
            candidate.model is not None
            and self._circuits.open_until(candidate.target) > self._circuits.now()
        )

    def _may_call(self, target: str) -> bool:
        open_until = self._circuits.open_until(target)
        if not open_until:
            return True
        now = self._circuits.now()
        return open_until <= now and self._circuits.claim_probe(target, now + PROBE_MS)

    def _add_failure(self, target: str, seconds: float | None) -> None:
        """`seconds`: for how long the target itself asks not to be called."""
        self._failed[target] += 1
        was_open = bool(self._circuits.open_until(target))
        if seconds is None and not was_open and self._failed[target] < self._failures:
            return
        self._failed.pop(target)
        seconds = seconds or self._seconds
        logger.warning("circuit opened", extra={"target": target, "seconds": round(seconds, 1)})
        metrics.count(CIRCUITS_OPENED, target=target)
        self._circuits.open(target, self._circuits.now() + int(seconds * 1000))
