"""Selects the one target where a file, a vector store or another resource is made.

There is no failover: what belongs together must be at one target. Ids in the request decide, then
its headers, then the defaults of its key, its tenant and the gateway, then the priority.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from antiphon.auth import Caller
from antiphon.errors import InvalidRequest
from antiphon.ownership import Ownership
from antiphon.providers.capabilities import not_supported
from antiphon.providers.provider import Candidate
from antiphon.routing import Routing, check_model
from antiphon.schema.create import Reference
from antiphon.settings.config import Config
from antiphon.settings.targets import Capability, Target, matches_pattern
from antiphon.store.links import Link, ResourceKind

CAPABILITIES: Mapping[ResourceKind, Capability] = {
    "file": "files",
    "upload": "uploads",
    "vector_store": "vector_stores",
    "container": "containers",
    "skill": "skills",
    "batch": "batches",
}
TARGET_HEADER, MODEL_HEADER = "x-antiphon-target", "x-antiphon-model"


@dataclass(frozen=True, eq=False, repr=False)
class ResourceRouting:
    config: Config
    routing: Routing
    ownership: Ownership

    def route(
        self,
        kind: ResourceKind,
        references: Iterable[Reference],
        caller: Caller,
        headers: Mapping[str, str],
    ) -> Candidate:
        """Raise NotFound for ids that the caller does not own, InvalidRequest without a target."""
        holders = self.ownership.targets(references, caller.tenant)
        every = self.routing.candidates_of(None, caller)
        need = CAPABILITIES[kind]
        if holders:
            self.routing.check_permitted(holders, caller)
            same_account = self.routing.in_account(holders, every, caller.key_id)
            made_at: Sequence[Candidate] = self.routing.capable(same_account, need)
        else:
            usable = [each for each in every if self._may_use(each, caller)]
            allowed = self.routing.capable(self._of_model(usable, caller, headers), need)
            made_at = self._named(allowed, caller, headers)
        if not made_at:
            raise not_supported([need], holders)
        return made_at[0]

    def check_same_target(
        self, link: Link, references: Iterable[Reference], caller: Caller
    ) -> None:
        """Raise NotFound for what the caller does not own, InvalidRequest for another target's."""
        holders = self.ownership.targets(references, caller.tenant)
        self.routing.in_account({link.target, *holders}, (), link.id)
        self.routing.check_permitted({link.target}, caller)

    def candidates_for(self, link: Link, *needs: Capability) -> tuple[Candidate, ...]:
        """Return the targets that can reach a resource, the one that made it first."""
        return self.routing.candidates_for(link, *needs)

    def _may_use(self, candidate: Candidate, caller: Caller) -> bool:
        """Whether the target serves any model that the caller's key may call."""
        target = self.config.targets[candidate.target]
        return caller.models is None or any(_serves_any(target, name) for name in caller.models)

    def _of_model(
        self, allowed: list[Candidate], caller: Caller, headers: Mapping[str, str]
    ) -> tuple[Candidate, ...]:
        """Return the candidates that serve the model which a header names, if there is one."""
        model = headers.get(MODEL_HEADER)
        if model is None:
            return tuple(allowed)
        check_model(model, caller)
        names = {each.target for each in self.routing.candidates_of(model, caller)}
        if not names:
            raise InvalidRequest(
                f"Invalid '{MODEL_HEADER}': no target serves the model '{model}'.",
                param=MODEL_HEADER,
                code="invalid_value",
            )
        return tuple(each for each in allowed if each.target in names)

    def _named(
        self, allowed: tuple[Candidate, ...], caller: Caller, headers: Mapping[str, str]
    ) -> Sequence[Candidate]:
        """Return the candidates for what refers to nothing, the best one first."""
        ranked = self.routing.rank(allowed, caller.tenant)
        requested = headers.get(TARGET_HEADER)
        if requested is None:
            defaults = () if MODEL_HEADER in headers else self._defaults(caller)
            by_default = [each for name in defaults for each in ranked if each.target == name]
            return by_default or ranked
        found = [each for each in ranked if each.target == requested]
        if not found:
            names = ", ".join(sorted(each.target for each in ranked)) or "none"
            raise InvalidRequest(
                f"Invalid '{TARGET_HEADER}': '{requested}' cannot be used here. Allowed: {names}.",
                param=TARGET_HEADER,
                code="invalid_value",
            )
        return found

    def _defaults(self, caller: Caller) -> Iterator[str | None]:
        yield caller.limits.files_target
        tenant = self.config.tenants.get(caller.tenant)
        yield None if tenant is None else tenant.files_target
        yield self.config.files.default


def _serves_any(target: Target, allowed: str) -> bool:
    """Whether a target serves a model whose name matches a key's name or pattern."""
    return any(
        matches_pattern(allowed, own) or matches_pattern(own, allowed) for own in target.models
    )
