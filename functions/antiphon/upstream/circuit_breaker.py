"""Spares targets that fail: one asks them again, and all come back when that went well."""

from collections import Counter
from collections.abc import Iterable, Iterator

from antiphon.observability import logger, metrics
from antiphon.providers.provider import Candidate
from antiphon.settings.metrics import ALL_OPEN, CIRCUITS_OPENED
from antiphon.store.circuits import Circuits
from antiphon.upstream.outcome import Outcome, counts_against_circuit, retry_after

PROBE_MS = 30_000  # a probe that has not been heard of by then may be made by another request


class CircuitBreaker:
    """Counts failures in a row by itself, and shares what follows from them."""

    def __init__(self, circuits: Circuits, failures: int, seconds: float) -> None:
        self._circuits = circuits
        self._failures = failures
        self._seconds = seconds
        self._failed: Counter[str] = Counter()

    def order(self, steps: Iterable[Candidate]) -> Iterator[Candidate]:
        """The steps as they are to be tried: a spared one only where no other is left.

        Of several spared ones, the one that is to come back first: nobody is refused for what
        the gateway believes, and nobody waits for all of them.
        """
        spared = []
        steps = tuple(steps)
        if len(steps) == 1 and self._is_spared(steps[0]):
            metrics.count(ALL_OPEN)
        for step in steps:
            if len(steps) == 1 or self._may_ask(step.target):
                yield step
            else:
                spared.append(step)
        if spared:
            metrics.count(ALL_OPEN)
            yield min(spared, key=lambda step: self._circuits.of(step.target).until)

    def note(self, target: str, outcome: Outcome) -> None:
        """Learn from an attempt; nothing is written while a target is well."""
        if counts_against_circuit(outcome):
            self._worse(target, retry_after(outcome))
            return
        self._failed.pop(target, None)
        if not self._circuits.of(target).closed:
            logger.info("circuit closed", extra={"target": target})
            self._circuits.close(target)

    def _is_spared(self, step: Candidate) -> bool:
        """Whether who has a choice passes it by; what is its own can be asked of no other."""
        circuit = self._circuits.of(step.target)
        return step.model is not None and circuit.until > self._circuits.now()

    def _may_ask(self, target: str) -> bool:
        circuit = self._circuits.of(target)
        if circuit.closed:
            return True
        now = self._circuits.now()
        return circuit.until <= now and self._circuits.claim(target, now + PROBE_MS)

    def _worse(self, target: str, told: float | None) -> None:
        self._failed[target] += 1
        was_open = not self._circuits.of(target).closed
        if told is None and not was_open and self._failed[target] < self._failures:
            return
        self._failed.pop(target)
        seconds = told or self._seconds
        logger.warning("circuit opened", extra={"target": target, "seconds": round(seconds, 1)})
        metrics.count(CIRCUITS_OPENED, target=target)
        self._circuits.open(target, self._circuits.now() + int(seconds * 1000))
