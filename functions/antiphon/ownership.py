"""Ownership: finds the links of a tenant, and refuses every id that the tenant does not own.

An id of another tenant, an unknown, malformed, deleted and expired one get the same 404. No
provider is called for the check: an id that the tenant does not own is never sent on.
"""

import hashlib
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import islice

from antiphon.errors import InvalidRequest, NotFound, PreviousResponseMissing, Unavailable
from antiphon.observability import logger
from antiphon.schema.create import ModelRequest, Reference
from antiphon.store.items import Items
from antiphon.store.links import ID_PATTERN, Kind, Link, Links

ITEM_NOT_FOUND = (
    "Item with id '{}' not found. Items are not persisted when `store` is set to false. "
    "Try again with `store` set to true, or remove this item from your input."
)
TURN_STATE = "x-codex-turn-state"  # header by which a target recognises the requests of one turn
TURN_SECONDS = 86_400
MAX_REFERENCES = 1_000  # of one request: the table gives a hundred rows at once


@dataclass(frozen=True)
class Ownership:
    links: Links
    items: Items

    def owned_link(self, kind: Kind, tenant: str, id: str) -> Link:
        """Return the tenant's own link; raise NotFound with the provider's message."""
        link = self.links.get(kind, tenant, id) if ID_PATTERN.fullmatch(id) else None
        if link is None:
            raise NotFound(f"{kind.capitalize()} with id '{id}' not found.")
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
        if len(references) > MAX_REFERENCES:
            param = references[-1][0].partition("[")[0]
            message = f"Invalid '{param}': at most {MAX_REFERENCES:,} items may be referred to."
            raise InvalidRequest(message, param=param, code="array_above_max_length")
        item_ids = [id for _, kind, id in references if kind == "item" and ID_PATTERN.fullmatch(id)]
        target_by_id = self.items.targets(tenant, item_ids) if item_ids else {}
        for param, kind, id in references:
            if kind == "response":
                target_by_id[id] = self._referenced_link(param, kind, tenant, id).target
            elif id not in target_by_id:
                raise NotFound(ITEM_NOT_FOUND.format(id), param=param)
        return set(target_by_id.values())

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
        return self.items.targets(tenant, [_turn_id(state)]).get(_turn_id(state))

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


def _turn_id(state: str) -> str:
    """Return a name that no item can have: ids have no space."""
    return f"turn {hashlib.sha256(state.encode()).hexdigest()}"
