"""Routing: selects the targets that may serve a request, and their order.

A request that continues or refers to something stored goes to the account that stores it.
"""

import difflib
import hashlib
import math
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from cachetools import LRUCache

from antiphon.auth import Caller
from antiphon.errors import NO_HEADERS, InvalidRequest, ModelNotFound, TargetGone
from antiphon.ownership import TURN_STATE, Ownership
from antiphon.policies.policies import Policies
from antiphon.providers.capabilities import select_capable, served_by
from antiphon.providers.provider import Candidate, provider_of
from antiphon.schema.create import ModelRequest, Reference
from antiphon.settings.targets import Capability, Target
from antiphon.store.links import Link

SESSION_HEADERS = ("session_id", "session-id", "thread-id", "conversation_id")
CACHED_MODELS = 1_000  # model names with their candidates
MODEL_NOT_FOUND = "The model '{}' does not exist or you do not have access to it."


@dataclass(frozen=True)
class Route:
    """The targets to try, in order, and the caller's own link of what the request continues."""

    candidates: tuple[Candidate, ...]
    parent: Link | None = None
    is_pinned: bool = False  # to the account that holds what the request refers to

    @property
    def follows_new(self) -> bool:
        """Whether the parent ended so recently that its provider may not find it yet."""
        parent = self.parent
        return parent is not None and parent.kind == "response" and parent.is_new(time.time())


class Routing:
    def __init__(
        self,
        targets: Mapping[str, Target],
        ownership: Ownership,
        policies: Policies | None = None,
    ) -> None:
        self._targets = targets
        self._providers = {name: provider_of(target) for name, target in targets.items()}
        self._served = served_by(targets)
        self._ownership = ownership
        self._policies = policies
        self._ranking = _Ranking(targets)
        self._cached: LRUCache[str | None, tuple[Candidate, ...]] = LRUCache(CACHED_MODELS)

    def route(
        self,
        body: ModelRequest,
        caller: Caller,
        headers: Mapping[str, str] = NO_HEADERS,
        *needs: Capability,
    ) -> Route:
        """Raise OpenAI's errors for ids that the caller does not own, and for unknown models.

        Raise NotSupportedByTarget where no target serves what the request needs.

        `headers`: the caller's, which may name the session and the turn that a request is part of.
        """
        check_model(body.model, caller)
        parent = self._ownership.parent(body, caller.tenant)
        holders = self._ownership.targets(body.references, caller.tenant)
        holders |= {parent.target} if parent else set()
        if not holders and TURN_STATE in headers:
            holders = self._turn_holders(body.model, caller, headers)
        if holders:
            affinity = parent.root if parent else caller.key_id
            pinned = self._pinned(holders, body.model, affinity, caller)
            return Route(self.capable(pinned, *needs), parent, is_pinned=True)
        sessions = (headers[name] for name in SESSION_HEADERS if name in headers)
        affinity = body.affinity(next(sessions, None)) or caller.key_id
        candidates = self._ranking.sort(self.candidates_of(body.model, caller), affinity)
        if not candidates:
            raise self._model_not_found(body.model or "", caller)
        return Route(self.capable(candidates, *needs))

    def route_conversation(self, references: Iterable[Reference], caller: Caller) -> Route:
        """Route a new conversation to the targets that store its items, or to any that can."""
        holders = self._ownership.targets(references, caller.tenant)
        if holders:
            return Route(self._pinned(holders, None, caller.key_id, caller))
        candidates = self._ranking.sort(self.candidates_of(None, caller), caller.key_id)
        return Route(self.capable(candidates, "conversations"))

    def candidates_for(self, link: Link, *needs: Capability) -> tuple[Candidate, ...]:
        """Return the targets that can reach a link.

        Raise TargetGone if it is not configured, NotSupportedByTarget if none serves the needs.
        """
        candidates = self.in_account({link.target}, self.candidates_of(None), link.root)
        return self.capable(candidates, *needs)

    def capable(
        self, candidates: tuple[Candidate, ...], *needs: Capability
    ) -> tuple[Candidate, ...]:
        """Return those that serve what a request needs, in the same order."""
        return select_capable(candidates, needs, self._served) if needs else candidates

    def check_permitted(self, holders: set[str], caller: Caller) -> None:
        """Raise PolicyViolation if the caller's data may not go to the account of these targets."""
        if self._policies is not None:
            found = self.in_account(holders, self.candidates_of(None), caller.key_id)
            if not self._policies.permitted(found, caller):
                raise self._policies.target_refusal({each.target for each in found}, caller)

    def may_reach(self, model: str, caller: Caller) -> bool:
        """Whether the key may call a model, and its data may go to a target that serves it."""
        if self._policies is None or not caller.may_call(model):
            return caller.may_call(model)
        return bool(self._policies.permitted(self.candidates_of(model), caller))

    def candidates_of(
        self, model: str | None, caller: Caller | None = None
    ) -> tuple[Candidate, ...]:
        """Return the targets that serve a model, all targets for None, in no special order.

        `caller`: whose data goes there; raise PolicyViolation if it may go to none of them.
        """
        cached = self._cached.get(model)
        found = cached or self._cached.setdefault(model, tuple(self._find_candidates(model)))
        if self._policies is None or caller is None or not found:
            return found
        permitted = self._policies.permitted(found, caller)
        if not permitted:
            raise self._policies.target_refusal({each.target for each in found}, caller)
        return permitted

    def in_account(
        self, holders: set[str], candidates: Iterable[Candidate], affinity: str
    ) -> tuple[Candidate, ...]:
        """Return the candidates of the holders' account, the holders first."""
        accounts = {self._account(name) for name in holders}
        if len(accounts) > 1:
            raise InvalidRequest(
                "The request refers to objects that are stored at different targets of the "
                f"gateway: {', '.join(map(repr, sorted(holders)))}. No single target has all of "
                "them.",
                code="targets_differ",
            )
        sharing = (
            candidate for candidate in candidates if self._account(candidate.target) in accounts
        )
        ranked = self._ranking.sort(sharing, affinity)
        return tuple(sorted(ranked, key=lambda candidate: candidate.target not in holders))

    def rank(self, candidates: Iterable[Candidate], affinity: str) -> tuple[Candidate, ...]:
        """Return candidates by priority; those of equal priority by weight and affinity."""
        return self._ranking.sort(candidates, affinity)

    def configured(self) -> Iterator[tuple[Candidate, Target]]:
        """Yield every target, in the order of the configuration."""
        for name, target in self._targets.items():
            yield Candidate(name, self._providers[name], None), target

    def _turn_holders(
        self, model: str | None, caller: Caller, headers: Mapping[str, str]
    ) -> set[str]:
        """Return the target that issued the turn state of a request, if it serves the model."""
        issuer = self._ownership.turn_target(caller.tenant, headers[TURN_STATE])
        return {each.target for each in self.candidates_of(model, caller) if each.target == issuer}

    def _pinned(
        self, holders: set[str], model: str | None, affinity: str, caller: Caller
    ) -> tuple[Candidate, ...]:
        """Return the candidates for a request that refers to what these targets hold."""
        candidates = self.in_account(holders, self.candidates_of(model, caller), affinity)
        if candidates:
            return candidates
        found = self.in_account(holders, self.candidates_of(model), affinity)
        if self._policies is not None and found:
            raise self._policies.target_refusal({each.target for each in found}, caller)
        raise self._model_not_found(model or "", caller)

    def _account(self, name: str) -> str:
        target = self._targets.get(name)
        if target is None:
            raise TargetGone(
                f"What the request continues is stored at the target '{name}', which is no longer "
                "configured. Start again without it."
            )
        return f"{target.provider} {target.shared_account or name}"

    def _find_candidates(self, model: str | None) -> Iterator[Candidate]:
        for name, target in self._targets.items():
            upstream_model = None if model is None else target.upstream_model(model)
            if model is None or upstream_model is not None:
                yield Candidate(name, self._providers[name], upstream_model)

    def _model_not_found(self, model: str, caller: Caller) -> ModelNotFound:
        """Build an error that suggests similar names, of models that the caller may call."""
        names = {name for target in self._targets.values() for name in target.models}
        allowed = [name for name in names if "*" not in name and caller.may_call(name)]
        similar = difflib.get_close_matches(model, allowed)
        hint = f" Did you mean {' or '.join(map(repr, similar))}?" if similar else ""
        return ModelNotFound(MODEL_NOT_FOUND.format(model) + hint, param="model")


class _Ranking:
    """Sorts by priority, lowest first; shares requests of equal priority by weight.

    Weighted rendezvous hashing keeps an affinity at one target, whose prompt cache it then finds.
    Score -weight / ln(hash): Schindelhauer and Schomaker, "Weighted Distributed Hash Tables".
    """

    def __init__(self, targets: Mapping[str, Target]) -> None:
        self._hashes = {name: hashlib.sha256(f"{name}\0".encode()) for name in targets}
        self._ranks = {name: (target.priority, target.weight) for name, target in targets.items()}

    def sort(self, candidates: Iterable[Candidate], affinity: str) -> tuple[Candidate, ...]:
        found, encoded = tuple(candidates), affinity.encode()

        def rank(candidate: Candidate) -> tuple[int, float]:
            digest = self._hashes[candidate.target].copy()
            digest.update(encoded)
            fraction = (int.from_bytes(digest.digest()[:8]) + 1) / (2**64 + 1)
            priority, weight = self._ranks[candidate.target]
            return priority, weight / math.log(fraction)

        return tuple(sorted(found, key=rank)) if len(found) > 1 else found


def check_model(model: str | None, caller: Caller) -> None:
    """Raise for a model that the key may not call the same error as for an unknown model."""
    if model is None and caller.models is not None:
        raise InvalidRequest(
            "This key may call certain models only: name one in 'model'.", param="model"
        )
    if model is not None and not caller.may_call(model):
        raise ModelNotFound(MODEL_NOT_FOUND.format(model), param="model")
