"""Ownership: finds the links of a tenant, and refuses every id that the tenant does not own.

An operator may share what was made outside the gateway with tenants (`[shared]` in gateway.toml):
they may use and read it, and it has no link.

An id of another tenant, an unknown, malformed, deleted and expired one get the same 404. No
provider is called for the check: an id that the tenant does not own is never sent on.
"""

import hashlib
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice

from antiphon.errors import InvalidRequest, NotFound, PreviousResponseMissing, Unavailable
from antiphon.observability import logger
from antiphon.schema.create import ModelRequest, Reference
from antiphon.settings.config import Shared
from antiphon.store.items import Items
from antiphon.store.links import ID_PATTERN, NEVER, Kind, Link, Links, ResourceKind
from antiphon.store.references import Name, References

ITEM_NOT_FOUND = (
    "Item with id '{}' not found. Items are not persisted when `store` is set to false. "
    "Try again with `store` set to true, or remove this item from your input."
)
RESOURCE_NOT_FOUND = (
    "{} with id '{}' not found. What was made outside of this gateway has no owner: its operators "
    "let tenants use it with `[shared]` in gateway.toml, or with `antiphon adopt`."
)
TURN_STATE = "x-codex-turn-state"  # header by which a target recognises the requests of one turn
TURN_SECONDS = 86_400
MAX_REFERENCES = 2_000  # of one request: the table gives a hundred rows at once


@dataclass(frozen=True, eq=False, repr=False)
class Ownership:
    links: Links
    items: Items
    references: References
    shared: Mapping[str, Shared] = field(default_factory=dict)  # by id

    def owned_link(self, kind: Kind, tenant: str, id: str) -> Link:
        """Return the tenant's own link; raise NotFound with the provider's message."""
        link = self.links.get(kind, tenant, id) if ID_PATTERN.fullmatch(id) else None
        if link is None:
            raise NotFound(not_found_message(kind, id))
        return link

    def parent(self, body: ModelRequest, tenant: str) -> Link | None:
        """Return the link of the response or conversation that a request continues."""
        if body.previous_response_id is not None:
            return self._previous_response(tenant, body.previous_response_id)
        if body.conversation_id is not None:
            return self._referenced_link(
                "conversation", "conversation", tenant, body.conversation_id
            )
        return None

    def targets(self, references: Iterable[Reference], tenant: str) -> set[str]:
        """Return the targets that hold what a request refers to; raise NotFound for other ids."""
        references = list(islice(references, MAX_REFERENCES + 1))
        if not references:
            return set()
        if len(references) > MAX_REFERENCES:
            param = references[-1][0].partition("[")[0]
            message = f"Invalid '{param}': at most {MAX_REFERENCES:,} ids may be referred to."
            raise InvalidRequest(message, param=param, code="array_above_max_length")
        shared = {id: target for _, _, id in references for target in self._shared(tenant, id)}
        names: list[Name] = [
            (kind, id)
            for _, kind, id in references
            if id not in shared and ID_PATTERN.fullmatch(id)
        ]
        found = self.references.targets(tenant, names) if names else {}
        for param, kind, id in references:
            if (kind, id) not in found and id not in shared:
                raise NotFound(not_found_message(kind, id), param=param)
        return {*found.values(), *shared.values()}

    def readable_link(self, kind: ResourceKind, tenant: str, id: str) -> Link:
        """Return the link of what the tenant owns, or what an operator shares with it.

        Raise NotFound for all other ids.
        """
        for target in self._shared(tenant, id):
            return _shared_link(kind, tenant, id, target)
        return self.owned_link(kind, tenant, id)

    def own_turn(self, tenant: str, headers: Mapping[str, str], target: str) -> None:
        """Record the target that issued a turn state in these headers of a response, if any."""
        state = headers.get(TURN_STATE)
        if state is None:
            return
        try:
            expires_at = int(time.time()) + TURN_SECONDS
            self.items.own(tenant, [_turn_id(state)], target, expires_at)
        except Unavailable:  # the turn continues, but may change its target
            logger.exception("turn not recorded")

    def turn_target(self, tenant: str, state: str) -> str | None:
        """Return the target that issued a turn state; None if it is not known."""
        name: Name = ("item", _turn_id(state))
        return self.references.targets(tenant, [name]).get(name)

    def _shared(self, tenant: str, id: str) -> Iterator[str]:
        """Yield the target of an object, if an operator shares it with the tenant."""
        shared = self.shared.get(id)
        if shared is not None and shared.target is not None and shared.includes(tenant):
            yield shared.target

    def _previous_response(self, tenant: str, id: str) -> Link:
        try:
            return self.owned_link("response", tenant, id)
        except NotFound as exc:
            message = f"Previous response with id '{id}' not found."
            raise PreviousResponseMissing(message, param="previous_response_id") from exc

    def _referenced_link(self, param: str, kind: Kind, tenant: str, id: str) -> Link:
        """Return the tenant's own link; raise NotFound that names the parameter."""
        try:
            return self.owned_link(kind, tenant, id)
        except NotFound as exc:
            raise NotFound(str(exc), param=param) from exc


def not_found_message(kind: str, id: str) -> str:
    """Return the one message for every id that the tenant does not own."""
    if kind == "item":
        return ITEM_NOT_FOUND.format(id)
    name = kind.capitalize().replace("_", " ")
    if kind in {"response", "conversation"}:
        return f"{name} with id '{id}' not found."
    return RESOURCE_NOT_FOUND.format(name, id)


def _shared_link(kind: ResourceKind, tenant: str, id: str, target: str) -> Link:
    """Return a link that stands in no row: nobody owns what an operator shares."""
    return Link(
        id=id,
        kind=kind,
        tenant=tenant,
        key_id="",
        request_id="",
        target=target,
        root=id,
        status="shared",
        created_ms=0,
        expires_at=NEVER,
    )


def _turn_id(state: str) -> str:
    """Return a name that no item can have: ids have no space."""
    return f"turn {hashlib.sha256(state.encode()).hexdigest()}"
