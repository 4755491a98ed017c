"""Routers over a few targets, and what they plan."""

from dataclasses import dataclass, field

from antiphon.auth import Caller
from antiphon.routing import Routing
from antiphon.schema.create import CreateResponse
from antiphon.settings.config import parse_config
from antiphon.store.links import Link
from tests.support.dynamo import link


@dataclass
class Nobodys:
    """An ownership in which nothing is continued, but for a parent that a test puts there."""

    link: object = None
    referred: set[str] = field(default_factory=set)

    def parent(self, _ask, _tenant):
        return self.link

    def targets(self, _references, _tenant):
        return set(self.referred)


def held_at(target: str, **more: object) -> Link:
    """The link of what lives there."""
    return link(**{"target": target, "root": "resp_1", **more})


CALLER = Caller("acme", "key_1")


def router(parent=None, **targets):
    made = {
        name: {"provider": "openai", "models": ["gpt-*"], **more} for name, more in targets.items()
    }
    return Routing(parse_config({"targets": made}).targets, Nobodys(parent))


def first(routing, model="gpt-5", key="key_1", **fields):
    ask = CreateResponse(model=model, input="x", **fields)
    return routing.plan(ask, Caller("acme", key)).steps[0].target


def targets(routing, model="gpt-5", caller=CALLER, **fields):
    ask = CreateResponse(model=model, input="x", **fields)
    return [step.target for step in routing.plan(ask, caller).steps]
