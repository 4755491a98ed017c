"""The one link of one answer, from the id's first mention to the response's end."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from antiphon.errors import Unavailable
from antiphon.ledger.reading import Response, item_ids, outcome
from antiphon.observe import logger
from antiphon.store.durable import DurableLinks
from antiphon.store.items import Items
from antiphon.store.links import FINAL, Link


@dataclass(frozen=True)
class Stores:
    """Where the ledger writes, and for how many days links are kept."""

    links: DurableLinks
    items: Items
    days: int
    conversation_days: int


class Book:
    """`note` each response object before the bytes that carry it are passed on; then `close`.

    A `new` response that has not ended by then is followed to its end.
    """

    def __init__(
        self, stores: Stores, own: Callable[[Response], Link], *, new: bool = False
    ) -> None:
        self._stores = stores
        self._new = new
        self._own = own  # gives the link of the first response object, written by then
        self._link: Link | None = None
        self._news: Response | None = None  # of the link, not yet written

    def note(self, response: Response) -> None:
        if self._link is None:
            self._link = self._own(response)
            self._news = None if self._link.status == response.get("status") else response
        else:
            self._news = response
        if response.get("status") in FINAL and self._link.store:
            self._own_items(self._link, response)

    def close(self, ended: str | None) -> None:
        """Write the outcome; the caller has the answer, so a failure here is only logged.

        `ended` is the type of the terminal event, None where there was none.
        """
        link, self._link = self._link, None
        if link is None or link.final:
            return
        changes = self._changes(link, ended)
        try:
            if changes:
                self._stores.links.change(link, **changes)
        except Unavailable:
            logger.exception("outcome not written", extra={"link": link.id})
        if self._new and changes.get("status") not in FINAL:
            self._stores.links.follow(link)

    def _changes(self, link: Link, ended: str | None) -> dict[str, Any]:
        changes = {} if self._news is None else outcome(self._news)
        if changes.get("status") in FINAL:
            return {**changes, "unfinished": None} if link.unfinished else changes
        return (
            changes if ended not in {None, "error"} else {**changes, "unfinished": ended or "cut"}
        )

    def _own_items(self, link: Link, response: Response) -> None:
        """From now on a request may refer to these items by id."""
        ids = item_ids(response)
        try:
            self._stores.items.own(link.tenant, ids, link.target, link.expires_at)
        except Unavailable:  # fail closed: they cannot be referred to, the response can
            logger.exception("items not owned", extra={"link": link.id})
