"""Environments that share a table, and with it what they know of their targets."""

from antiphon.providers import OpenAI, Step
from antiphon.relay.answer import Answer
from antiphon.relay.breaker import Breaker
from antiphon.store.circuits import PLACE, Circuits

START = 1_700_000_000.0
STEPS = [Step(name, OpenAI("http://x"), "m") for name in ("a", "b-east", "c")]


class Clock:
    def __init__(self):
        self.now = START

    def __call__(self):
        return self.now


class Environment:
    """One of those that share the table."""

    def __init__(self, dynamo, clock, failures=3, seconds=30):
        self.circuits = Circuits(dynamo.table, clock)
        self.breaker = Breaker(self.circuits, failures, seconds)
        self._dynamo = dynamo

    def learns(self):
        """As at the next read of a key's row."""
        self.circuits.learn(self._dynamo.table.get(*PLACE))

    def fails(self, target, outcome=None, **headers):
        self.breaker.note(target, outcome or Answer(target, 429, headers, b""))

    def order(self, *steps):
        return [step.target for step in self.breaker.order(steps or STEPS)]
