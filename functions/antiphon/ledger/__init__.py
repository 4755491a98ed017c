"""Reads answers as they pass and writes down what a later call will need to know.

What an answer names is owned before the bytes that name it are passed on: nobody holds an id that
is not owned. Status and usage are written when the terminal event has passed.
"""

from antiphon.errors import LinkNotWritten, Unavailable, UpstreamFailed
from antiphon.http import Reply
from antiphon.ledger.book import Book, Stores
from antiphon.ledger.origin import Origin, Place
from antiphon.ledger.reading import (
    Response,
    conversation_id,
    item_ids,
    read,
    read_named,
    text,
)
from antiphon.ledger.recorded import Recorded
from antiphon.limits import Admission, Lease
from antiphon.observe import logger
from antiphon.relay import Answer, Stream
from antiphon.store.links import Link

__all__ = ["Ledger", "Origin", "Place", "Stores"]

OK = range(200, 300)


class Ledger:
    def __init__(self, stores: Stores, admission: Admission) -> None:
        self._stores = stores
        self._admission = admission

    def record(self, answer: Answer, origin: Origin) -> Reply:
        """A new response; raise LinkNotWritten where it cannot be owned: nobody gets its id."""

        def own(response: Response) -> Link:
            link = origin.link(answer.target, response, self._stores.days)
            place = Place(origin.request_id, origin.caller, answer.target)
            implied = conversation_id(response)
            if implied is not None and implied != origin.ask.conversation_id:
                self._put(place.conversation(implied, {}, self._stores.conversation_days))
            origin.tell(link)
            self._put(link)
            return link

        if answer.status not in OK:
            origin.lease.answered(answer.status)
        return self._noted(answer, Book(self._stores, own, origin.lease, new=True))

    def follow(self, answer: Answer, link: Link) -> Reply:
        """A response that is owned already: what is news in its status is written."""
        return self._noted(
            answer, Book(self._stores, lambda _: link, self._admission.lease(link.lease))
        )

    def open_conversation(self, answer: Answer, place: Place) -> Reply:
        """A new conversation; raise LinkNotWritten where it cannot be owned."""
        if answer.status in OK:
            made = read_named(answer.whole)
            metadata = made.get("metadata")
            kept = metadata if isinstance(metadata, dict) else {}
            self._put(place.conversation(made["id"], kept, self._stores.conversation_days))
        return answer.reply()

    def amend_conversation(self, answer: Answer, link: Link) -> Reply:
        """Keep a conversation's new metadata."""
        if answer.status in OK:
            metadata = read(answer.whole).get("metadata")
            kept = metadata if isinstance(metadata, dict) else {}
            self._stores.links.change(link, metadata=kept)
        return answer.reply()

    def spend(self, answer: Answer, place: Place, model: str | None, lease: Lease) -> Reply:
        """A compaction, which leaves nothing behind but what it took.

        The caller has paid for the answer, so a failure here is only logged.
        """
        if answer.status not in OK:
            lease.answered(answer.status)
        else:
            try:
                link = place.compaction(read(answer.whole), model)
                lease.tell(link)
                self._stores.links.put(link)
            except (Unavailable, UpstreamFailed) as exc:
                lease.forfeit()  # unless it has been told
                logger.error("compaction not counted", extra={"error": type(exc).__name__})
        return answer.reply()

    def own_items(self, answer: Answer, link: Link) -> Reply:
        """Items that a list or an answer shows may be referred to from now on."""
        if answer.status in OK:
            shown = read(answer.whole)
            ids = {*item_ids(shown), *filter(None, [_item_id(shown)])}
            self._stores.items.own(link.tenant, ids, link.target, link.expires_at)
        return answer.reply()

    def forget(self, answer: Answer, link: Link) -> Reply:
        """Mark the link of what was deleted; its id stays refused."""
        if answer.status in OK:
            self._stores.links.mark_deleted(link)
        return answer.reply()

    def _noted(self, answer: Answer, book: Book) -> Reply:
        if isinstance(answer.body, Stream):
            recorded = Recorded(answer.body, book)
            recorded.open()
            return Reply(answer.status, answer.headers, recorded)
        if answer.status in OK:
            response = read_named(answer.whole)
            book.note(response)
            book.close(ended="")
        return answer.reply()

    def _put(self, link: Link) -> None:
        try:
            self._stores.links.put(link)
        except Unavailable as exc:
            raise LinkNotWritten(
                "It was made, but the gateway could not record whose it is, so its id is not "
                "given out."
            ) from exc


def _item_id(shown: Response) -> str | None:
    """The id of an answer that is itself an item."""
    is_item = "object" not in shown and "type" in shown
    return text(shown.get("id")) if is_item else None
