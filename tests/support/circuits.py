"""Environments that share a table, and with it what they know of their targets."""

from antiphon.providers.openai import OpenAI
from antiphon.providers.provider import Candidate
from antiphon.store.circuits import CIRCUITS_KEY, Circuits
from antiphon.upstream.circuit_breaker import CircuitBreaker
from antiphon.upstream.outcome import UpstreamResponse

START = 1_700_000_000.0
STEPS = [Candidate(name, OpenAI("http://x"), "m") for name in ("a", "b-east", "c")]


class Clock:
    def __init__(self):
        self.now = START

    def __call__(self):
        return self.now


class Environment:
    """One of those that share the table."""

    def __init__(self, dynamo, clock, failures=3, seconds=30):
        self.circuits = Circuits(dynamo.table, clock)
        self.breaker = CircuitBreaker(self.circuits, failures, seconds)
        self._dynamo = dynamo

    def learns(self):
        """As at the next read of a key's row."""
        self.circuits.learn(self._dynamo.table.get(*CIRCUITS_KEY))

    def fails(self, target, outcome=None, **headers):
        self.breaker.note(target, outcome or UpstreamResponse(target, 429, headers, b""))

    def order(self, *steps):
        return [step.target for step in self.breaker.order(steps or STEPS)]
