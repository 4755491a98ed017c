"""Whose an id is. A foreign, unknown, malformed, deleted or expired one is refused alike.

Nothing here asks a provider: an id that the caller's tenant does not own is never sent on.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from antiphon.errors import NotFound, PreviousResponseMissing
from antiphon.schema.create import ModelRequest, Reference
from antiphon.store.items import Items
from antiphon.store.links import Kind, Link, Links

ITEM_NOT_FOUND = (
    "Item with id '{}' not found. Items are not persisted when `store` is set to false. "
    "Try again with `store` set to true, or remove this item from your input."
)
ID_PATTERN = re.compile(r"[A-Za-z0-9_-]{1,256}")


@dataclass(frozen=True)
class Ownership:
    links: Links
    items: Items

    def holder(self, kind: Kind, tenant: str, id: str) -> Link:
        """The tenant's own link; raise NotFound in the provider's words."""
        link = self.links.get(kind, tenant, id) if ID_PATTERN.fullmatch(id) else None
        if link is None:
            raise NotFound(f"{kind.capitalize()} with id '{id}' not found.")
        return link

    def parent(self, ask: ModelRequest, tenant: str) -> Link | None:
        """The link of what a request continues, if it continues something."""
        if ask.previous_response_id is not None:
            return self._previous(tenant, ask.previous_response_id)
        if ask.conversation_id is not None:
            return self._blamed("conversation", "conversation", tenant, ask.conversation_id)
        return None

    def targets(self, references: Iterable[Reference], tenant: str) -> set[str]:
        """Where all that a request refers to lives; raise NotFound for what is not the tenant's."""
        asked = list(references)
        ids = [id for _, kind, id in asked if kind == "item" and ID_PATTERN.fullmatch(id)]
        found = self.items.targets(tenant, ids) if ids else {}
        for param, kind, id in asked:
            if kind == "response":
                found[id] = self._blamed(param, kind, tenant, id).target
            elif id not in found:
                raise NotFound(ITEM_NOT_FOUND.format(id), param=param)
        return set(found.values())

    def _previous(self, tenant: str, id: str) -> Link:
        try:
            return self.holder("response", tenant, id)
        except NotFound as exc:
            message = f"Previous response with id '{id}' not found."
            raise PreviousResponseMissing(message, param="previous_response_id") from exc

    def _blamed(self, param: str, kind: Kind, tenant: str, id: str) -> Link:
        """As `holder`, with the parameter named that the id stood in."""
        try:
            return self.holder(kind, tenant, id)
        except NotFound as exc:
            raise NotFound(str(exc), param=param) from exc
