"""Which targets may take a request, in which order: pinned where what it continues lives."""

import difflib
import hashlib
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from antiphon.auth import Caller
from antiphon.errors import ModelNotFound, NotFound, PreviousResponseMissing, TargetGone
from antiphon.providers import Step, provider
from antiphon.schema import CreateResponse
from antiphon.settings.config import Target
from antiphon.store.links import Link, Links


@dataclass(frozen=True)
class Plan:
    steps: tuple[Step, ...]
    parent: Link | None = None


class Router:
    def __init__(self, targets: Mapping[str, Target], links: Links) -> None:
        self._targets = targets
        self._providers = {name: provider(target) for name, target in targets.items()}
        self._links = links

    def plan(self, ask: CreateResponse, caller: Caller) -> Plan:
        """Raise what OpenAI answers for ids that are not the caller's, and for unknown models."""
        parent = self._parent(ask, caller)
        if parent is not None:
            return Plan((self._pinned(ask, parent),), parent)
        steps = tuple(sorted(self._serving(ask.model), key=self._order(_affinity(ask, caller))))
        if not steps:
            raise self._unknown(ask.model or "")
        return Plan(steps)

    def _parent(self, ask: CreateResponse, caller: Caller) -> Link | None:
        """The caller's own link of what the request continues."""
        if ask.previous_response_id is not None:
            link = self._links.get("response", caller.tenant, ask.previous_response_id)
            if link is None:
                message = f"Previous response with id '{ask.previous_response_id}' not found."
                raise PreviousResponseMissing(message, param="previous_response_id")
            return link
        if ask.conversation_id is not None:
            link = self._links.get("conversation", caller.tenant, ask.conversation_id)
            if link is None:
                message = f"Conversation with id '{ask.conversation_id}' not found."
                raise NotFound(message, param="conversation")
            return link
        return None

    def _pinned(self, ask: CreateResponse, parent: Link) -> Step:
        target = self._targets.get(parent.target)
        if target is None:
            raise TargetGone(
                f"'{parent.id}' lives at the target '{parent.target}', not configured now. "
                "Start a new response without it."
            )
        model = None if ask.model is None else target.upstream_model(ask.model)
        if ask.model is not None and model is None:
            raise self._unknown(ask.model)
        return Step(parent.target, self._providers[parent.target], model)

    def _serving(self, model: str | None) -> Iterator[Step]:
        for name, target in self._targets.items():
            upstream = None if model is None else target.upstream_model(model)
            if model is None or upstream is not None:
                yield Step(name, self._providers[name], upstream)

    def _order(self, affinity: str) -> "_Order":
        return _Order(self._targets, affinity)

    def _unknown(self, model: str) -> ModelNotFound:
        names = {name for target in self._targets.values() for name in target.models}
        near = difflib.get_close_matches(model, names - {"*"}, n=3)
        hint = f" Did you mean {' or '.join(map(repr, near))}?" if near else ""
        message = f"The model '{model}' does not exist or you do not have access to it.{hint}"
        return ModelNotFound(message, param="model")


@dataclass(frozen=True)
class _Order:
    """Lowest priority first; equal ones by weighted rendezvous, so one caller meets one cache.

    Score -weight / ln(hash): Schindelhauer and Schomaker, "Weighted Distributed Hash Tables".
    """

    targets: Mapping[str, Target]
    affinity: str

    def __call__(self, step: Step) -> tuple[int, float]:
        target = self.targets[step.target]
        digest = hashlib.sha256(f"{step.target}\0{self.affinity}".encode()).digest()
        share = (int.from_bytes(digest[:8]) + 1) / (2**64 + 1)
        return target.priority, target.weight / math.log(share)


def _affinity(ask: CreateResponse, caller: Caller) -> str:
    return ask.prompt_cache_key or ask.safety_identifier or ask.user or caller.key_id
