"""Which targets may take a request, in which order: pinned where what it continues lives."""

import difflib
import hashlib
import math
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from cachetools import LRUCache

from antiphon.auth import Caller
from antiphon.errors import InvalidRequest, ModelNotFound, TargetGone
from antiphon.ownership import Ownership
from antiphon.providers.provider import Candidate, provider_of
from antiphon.schema.create import ModelRequest, Reference
from antiphon.settings.config import Target
from antiphon.store.links import Link

CACHED_MODELS = 1_000  # whose targets are remembered
NO_MODEL = "The model '{}' does not exist or you do not have access to it."


@dataclass(frozen=True)
class Route:
    """The targets to try, in order, and the caller's own link of what is continued."""

    steps: tuple[Candidate, ...]
    parent: Link | None = None

    @property
    def follows_new(self) -> bool:
        """Whether what it continues ended so lately that its provider may not know it yet."""
        parent = self.parent
        return parent is not None and parent.kind == "response" and parent.is_new(time.time())


class Routing:
    def __init__(self, targets: Mapping[str, Target], ownership: Ownership) -> None:
        self._targets = targets
        self._providers = {name: provider_of(target) for name, target in targets.items()}
        self._ownership = ownership
        self._ranks = _Ranking(targets)
        self._served: LRUCache[str | None, tuple[Candidate, ...]] = LRUCache(CACHED_MODELS)

    def plan(self, ask: ModelRequest, caller: Caller) -> Route:
        """Raise what OpenAI answers for ids that are not the caller's, and for unknown models."""
        _check_model(ask.model, caller)
        parent = self._ownership.parent(ask, caller.tenant)
        held = self._ownership.targets(ask.references, caller.tenant)
        held |= {parent.target} if parent else set()
        if held:
            affinity = parent.root if parent else caller.key_id
            return Route(self._pinned(held, ask.model, affinity, caller), parent)
        steps = self._ranks.sorted(self._serving(ask.model), ask.affinity or caller.key_id)
        if not steps:
            raise self._unknown(ask.model or "", caller)
        return Route(steps)

    def plan_conversation(self, references: Iterable[Reference], caller: Caller) -> Route:
        """A new conversation goes where conversations are kept, and its items already are."""
        held = self._ownership.targets(references, caller.tenant)
        if held:
            return Route(self._pinned(held, None, caller.key_id, caller))
        keeping = (step for step in self._serving(None) if self._targets[step.target].conversations)
        steps = self._ranks.sorted(keeping, caller.key_id)
        if not steps:
            raise InvalidRequest(
                "No target of this gateway has the Conversations API. Chain responses with "
                "'previous_response_id' instead.",
                code="conversations_not_supported_by_target",
            )
        return Route(steps)

    def at(self, link: Link) -> tuple[Candidate, ...]:
        """Where something can be reached; raise TargetGone where that is not configured now."""
        return self._of_account({link.target}, self._serving(None), link.root)

    def each(self) -> Iterator[tuple[Candidate, Target]]:
        """Every target, in the order of the configuration."""
        for name, target in self._targets.items():
            yield Candidate(name, self._providers[name], None), target

    def _pinned(
        self, held: set[str], model: str | None, affinity: str, caller: Caller
    ) -> tuple[Candidate, ...]:
        steps = self._of_account(held, self._serving(model), affinity)
        if not steps:
            raise self._unknown(model or "", caller)
        return steps

    def _of_account(
        self, held: set[str], steps: Iterable[Candidate], affinity: str
    ) -> tuple[Candidate, ...]:
        """The targets that hold all this: those of one account, the named ones first."""
        accounts = {self._account(name) for name in held}
        if len(accounts) > 1:
            raise InvalidRequest(
                "The request refers to things that live at different targets of the gateway: "
                f"{', '.join(map(repr, sorted(held)))}. No one of them holds them all.",
                code="targets_differ",
            )
        sharing = (step for step in steps if self._account(step.target) in accounts)
        return tuple(
            sorted(self._ranks.sorted(sharing, affinity), key=lambda s: s.target not in held)
        )

    def _account(self, name: str) -> str:
        target = self._targets.get(name)
        if target is None:
            raise TargetGone(
                f"What the request continues lives at the target '{name}', which is not "
                "configured now. Start anew without it."
            )
        return f"{target.provider} {target.shared_account or name}"

    def _serving(self, model: str | None) -> tuple[Candidate, ...]:
        known = self._served.get(model)
        return known or self._served.setdefault(model, tuple(self._found_serving(model)))

    def _found_serving(self, model: str | None) -> Iterator[Candidate]:
        for name, target in self._targets.items():
            upstream = None if model is None else target.upstream_model(model)
            if model is None or upstream is not None:
                yield Candidate(name, self._providers[name], upstream)

    def _unknown(self, model: str, caller: Caller) -> ModelNotFound:
        names = {name for target in self._targets.values() for name in target.models}
        open_to = [name for name in names if "*" not in name and caller.may_call(name)]
        near = difflib.get_close_matches(model, open_to)
        hint = f" Did you mean {' or '.join(map(repr, near))}?" if near else ""
        return ModelNotFound(NO_MODEL.format(model) + hint, param="model")


def _check_model(model: str | None, caller: Caller) -> None:
    """Raise for a model that is not the key's to call, as for one that is not there."""
    if model is None and caller.models is not None:
        raise InvalidRequest("This key may call certain models only: name one.", param="model")
    if model is not None and not caller.may_call(model):
        raise ModelNotFound(NO_MODEL.format(model), param="model")


class _Ranking:
    """Lowest priority first; equal ones by weighted rendezvous, so one caller meets one cache.

    Score -weight / ln(hash): Schindelhauer and Schomaker, "Weighted Distributed Hash Tables".
    """

    def __init__(self, targets: Mapping[str, Target]) -> None:
        self._begun = {name: hashlib.sha256(f"{name}\0".encode()) for name in targets}
        self._of = {name: (target.priority, target.weight) for name, target in targets.items()}

    def sorted(self, steps: Iterable[Candidate], affinity: str) -> tuple[Candidate, ...]:
        said = affinity.encode()

        def rank(step: Candidate) -> tuple[int, float]:
            digest = self._begun[step.target].copy()
            digest.update(said)
            share = (int.from_bytes(digest.digest()[:8]) + 1) / (2**64 + 1)
            priority, weight = self._of[step.target]
            return priority, weight / math.log(share)

        return tuple(sorted(steps, key=rank))
