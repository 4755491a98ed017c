"""The one link of one answer, from the id's first mention to the response's end.

A stream's events, passed on with what they name written first.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from antiphon.errors import LinkNotWritten, Unavailable
from antiphon.limits.reservation import Reservation
from antiphon.observability import logger, metrics
from antiphon.recording.reading import ResponseObject, item_ids, outcome_attributes
from antiphon.settings.metrics import CUT_STREAMS
from antiphon.store.durable_links import DurableLinks
from antiphon.store.items import Items
from antiphon.store.links import FINAL, Link
from antiphon.upstream.stream import EventBatch, UpstreamStream
from antiphon.upstream.timers import Send


@dataclass(frozen=True)
class Stores:
    """Where the ledger writes, and for how many days links are kept."""

    links: DurableLinks
    items: Items
    days: int
    conversation_days: int


class ResponseTracker:
    """`note` each response object before the bytes that carry it are passed on; then `close`.

    A `new` response that has not ended by then is followed to its end.
    """

    def __init__(
        self,
        stores: Stores,
        own: Callable[[ResponseObject], Link],
        lease: Reservation,
        *,
        new: bool = False,
    ) -> None:
        self._stores = stores
        self._lease = lease
        self._new = new
        self._own = own  # gives the link of the first response object, written by then
        self._link: Link | None = None
        self._named = False
        self._news: ResponseObject | None = None  # of the link, not yet written

    def note(self, response: ResponseObject) -> None:
        self._named = True
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
        if link is not None:
            self._close(link, {} if link.final else self._changes(link, ended))
        elif self._new and not self._named:  # a stream of no response: nobody will know
            self._lease.forfeit()

    def _close(self, link: Link, changes: dict[str, Any]) -> None:
        try:
            if changes:
                self._stores.links.change(link, **changes)
        except Unavailable:
            logger.exception("outcome not written", extra={"link": link.id})
        told = replace(link, **changes)
        if self._new or not (link.final or told.pending):
            self._tell(link, told, changes)
        if self._new:
            self._stores.links.follow(told)

    def _tell(self, link: Link, told: Link, changes: dict[str, Any]) -> None:
        if not self._lease.tell(told):
            self._stores.links.tell_later(link, changes)

    def _changes(self, link: Link, ended: str | None) -> dict[str, Any]:
        changes = {} if self._news is None else outcome_attributes(self._news)
        if changes.get("status") in FINAL:
            return {**changes, "unfinished": None} if link.unfinished else changes
        return (
            changes if ended not in {None, "error"} else {**changes, "unfinished": ended or "cut"}
        )

    def _own_items(self, link: Link, response: ResponseObject) -> None:
        """From now on a request may refer to these items by id."""
        ids = item_ids(response)
        try:
            self._stores.items.own(link.tenant, ids, link.target, link.expires_at)
        except Unavailable:  # fail closed: they cannot be referred to, the response can
            logger.exception("items not owned", extra={"link": link.id})


class RecordingStream:
    def __init__(self, stream: UpstreamStream, book: ResponseTracker) -> None:
        self._stream = stream
        self._book = book
        self._pieces = iter(stream)
        self._first: EventBatch | None = None

    def open(self) -> None:
        """Write what the first event names, while the status is still open."""
        try:
            self._first = self._noted(next(self._pieces))
        except BaseException:
            self._stream.close()
            raise

    def attach(self, send: Send) -> None:
        self._stream.attach(send)

    def __iter__(self) -> Iterator[bytes]:
        try:
            if self._first is not None:
                yield self._first.data
            for piece in self._pieces:
                yield self._noted(piece).data
        except LinkNotWritten as fault:
            yield self._stream.ending(fault)
        finally:
            if self._stream.ended is None:
                logger.warning("stream cut")
                metrics.count(CUT_STREAMS)
            self.close()

    def close(self) -> None:
        self._stream.close()
        self._book.close(self._stream.ended)

    def _noted(self, piece: EventBatch) -> EventBatch:
        if piece.response is not None:
            self._book.note(piece.response)
        return piece
