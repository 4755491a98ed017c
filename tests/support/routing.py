"""Routing over a few targets, and execution environments that share their circuits."""

from dataclasses import dataclass, field

from antiphon.auth import Caller
from antiphon.providers.openai import OpenAI
from antiphon.providers.provider import Candidate
from antiphon.routing import Routing
from antiphon.schema.create import CreateResponse
from antiphon.settings.config import parse_config
from antiphon.store.circuits import CIRCUITS_KEY, Circuits
from antiphon.store.links import Link
from antiphon.upstream.circuit_breaker import CircuitBreaker
from antiphon.upstream.outcome import UpstreamResponse
from tests.support.dynamodb import make_link


@dataclass
class FakeOwnership:
    """An ownership whose answers the test sets: the parent, and the targets of references."""

    link: object = None
    referenced: set[str] = field(default_factory=set)

    def parent(self, _body, _tenant):
        return self.link

    def targets(self, _references, _tenant):
        return set(self.referenced)


def make_link_at(target: str, **more: object) -> Link:
    """The link of a response at this target."""
    return make_link(**{"target": target, "root": "resp_1", **more})


CALLER = Caller("acme", "key_1")


def make_routing(parent=None, **targets):
    sections = {
        name: {"provider": "openai", "models": ["gpt-*"], **more} for name, more in targets.items()
    }
    return Routing(parse_config({"targets": sections}).targets, FakeOwnership(parent))


def choose_first(routing, model="gpt-5", key="key_1", **fields):
    body = CreateResponse.of({"model": model, "input": "x", **fields})
    return routing.route(body, Caller("acme", key)).candidates[0].target


def choose_targets(routing, model="gpt-5", caller=CALLER, **fields):
    body = CreateResponse.of({"model": model, "input": "x", **fields})
    return [candidate.target for candidate in routing.route(body, caller).candidates]


START = 1_700_000_000.0
CANDIDATES = [Candidate(name, OpenAI("http://x"), "m") for name in ("a", "b-east", "c")]


class CircuitClock:
    def __init__(self):
        self.now = START

    def __call__(self):
        return self.now


class CircuitEnvironment:
    """One of several execution environments that share a table."""

    def __init__(self, dynamo, clock, failures=3, seconds=30):
        self.circuits = Circuits(dynamo.table, clock)
        self.breaker = CircuitBreaker(self.circuits, failures, seconds)
        self._dynamo = dynamo

    def read_circuits(self):
        """As it happens with the next read of a key's row."""
        self.circuits.load(self._dynamo.table.get(*CIRCUITS_KEY))

    def record_failure(self, target, outcome=None, **headers):
        self.breaker.record(target, outcome or UpstreamResponse(target, 429, headers, b""))

    def order(self, *steps):
        return [step.target for step in self.breaker.order(steps or CANDIDATES)]
