"""Where a response comes from: what its link says before the provider has said anything.

Reads answers as they pass and writes down what a later call will need to know.

What an answer names is owned before the bytes that name it are passed on: nobody holds an id that
is not owned. Status and usage are written when the terminal event has passed.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass

from antiphon.auth import Caller
from antiphon.errors import LinkNotWritten, Unavailable, UpstreamFailed
from antiphon.http import Reply
from antiphon.limits.admission import Admission
from antiphon.limits.reservation import Reservation
from antiphon.observability import logger
from antiphon.recording.reading import (
    ResponseObject,
    conversation_id,
    item_ids,
    outcome_attributes,
    read_object,
    read_object_with_id,
    text_or_none,
)
from antiphon.recording.tracker import RecordingStream, ResponseTracker, Stores
from antiphon.routing import Route
from antiphon.schema.create import CreateResponse
from antiphon.store.links import Link
from antiphon.upstream.outcome import UpstreamResponse
from antiphon.upstream.stream import UpstreamStream

DAY = 86_400
COUNTED_WITHIN = 7  # days, even where it has to wait in the queue


def ignore_link(_link: Link) -> None:
    """Whom nothing has to be told."""


@dataclass(frozen=True)
class CreateContext:
    request_id: str
    caller: Caller
    ask: CreateResponse
    plan: Route
    lease: Reservation
    tell: Callable[[Link], None] = ignore_link  # of the response, before its link is written

    def link(self, target: str, response: ResponseObject, days: int) -> Link:
        ask, parent = self.ask, self.plan.parent
        conversation = conversation_id(response) or ask.conversation_id
        return Link(
            id=str(response["id"]),
            tenant=self.caller.tenant,
            key_id=self.caller.key_id,
            request_id=self.request_id,
            target=target,
            root=parent.root if parent else conversation or str(response["id"]),
            created_ms=now_ms(),
            expires_at=expires_at_after(days),
            model=ask.model,
            previous_response_id=ask.previous_response_id,
            conversation=conversation,
            store=ask.store is not False,
            background=bool(ask.background),
            metadata=dict(ask.metadata or {}),
            lease=self.lease.form,
            **outcome_attributes(response),
        )


@dataclass(frozen=True)
class ResourceOwner:
    """By which request something came to be, whose it is, and at which target."""

    request_id: str
    caller: Caller
    target: str

    def conversation(self, id: str, metadata: dict[str, str], days: int) -> Link:
        """The link of a conversation, which has no status but that it is there."""
        return Link(
            id=id,
            kind="conversation",
            tenant=self.caller.tenant,
            key_id=self.caller.key_id,
            request_id=self.request_id,
            target=self.target,
            root=id,
            status="active",
            created_ms=now_ms(),
            expires_at=expires_at_after(days),
            metadata=metadata,
        )

    def compaction(self, made: ResponseObject, model: str | None) -> Link:
        """What a compaction has taken: it is counted, and nobody can ask for it."""
        id = text_or_none(made.get("id")) or self.request_id
        return Link(
            id=id,
            kind="compaction",
            tenant=self.caller.tenant,
            key_id=self.caller.key_id,
            request_id=self.request_id,
            target=self.target,
            root=id,  # in no tree
            created_ms=now_ms(),
            expires_at=expires_at_after(COUNTED_WITHIN),
            model=model,
            store=False,
            **outcome_attributes(made),
        )


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def expires_at_after(days: int) -> int:
    return int(time.time()) + days * DAY


SUCCESS = range(200, 300)


class ResponseRecorder:
    def __init__(self, stores: Stores, admission: Admission) -> None:
        self._stores = stores
        self._admission = admission

    def record(self, answer: UpstreamResponse, origin: CreateContext) -> Reply:
        """A new response; raise LinkNotWritten where it cannot be owned: nobody gets its id."""

        def own(response: ResponseObject) -> Link:
            link = origin.link(answer.target, response, self._stores.days)
            place = ResourceOwner(origin.request_id, origin.caller, answer.target)
            implied = conversation_id(response)
            if implied is not None and implied != origin.ask.conversation_id:
                self._put(place.conversation(implied, {}, self._stores.conversation_days))
            origin.tell(link)
            self._put(link)
            return link

        if answer.status not in SUCCESS:
            origin.lease.answered(answer.status)
        return self._noted(answer, ResponseTracker(self._stores, own, origin.lease, new=True))

    def follow(self, answer: UpstreamResponse, link: Link) -> Reply:
        """A response that is owned already: what is news in its status is written."""
        return self._noted(
            answer, ResponseTracker(self._stores, lambda _: link, self._admission.lease(link.lease))
        )

    def open_conversation(self, answer: UpstreamResponse, place: ResourceOwner) -> Reply:
        """A new conversation; raise LinkNotWritten where it cannot be owned."""
        if answer.status in SUCCESS:
            made = read_object_with_id(answer.whole)
            metadata = made.get("metadata")
            kept = metadata if isinstance(metadata, dict) else {}
            self._put(place.conversation(made["id"], kept, self._stores.conversation_days))
        return answer.reply()

    def amend_conversation(self, answer: UpstreamResponse, link: Link) -> Reply:
        """Keep a conversation's new metadata."""
        if answer.status in SUCCESS:
            metadata = read_object(answer.whole).get("metadata")
            kept = metadata if isinstance(metadata, dict) else {}
            self._stores.links.change(link, metadata=kept)
        return answer.reply()

    def spend(
        self, answer: UpstreamResponse, place: ResourceOwner, model: str | None, lease: Reservation
    ) -> Reply:
        """A compaction, which leaves nothing behind but what it took.

        The caller has paid for the answer, so a failure here is only logged.
        """
        if answer.status not in SUCCESS:
            lease.answered(answer.status)
        else:
            try:
                link = place.compaction(read_object(answer.whole), model)
                lease.tell(link)
                self._stores.links.put(link)
            except (Unavailable, UpstreamFailed) as exc:
                lease.forfeit()  # unless it has been told
                logger.error("compaction not counted", extra={"error": type(exc).__name__})
        return answer.reply()

    def own_items(self, answer: UpstreamResponse, link: Link) -> Reply:
        """Items that a list or an answer shows may be referred to from now on."""
        if answer.status in SUCCESS:
            shown = read_object(answer.whole)
            ids = {*item_ids(shown), *filter(None, [_item_id(shown)])}
            self._stores.items.own(link.tenant, ids, link.target, link.expires_at)
        return answer.reply()

    def forget(self, answer: UpstreamResponse, link: Link) -> Reply:
        """Mark the link of what was deleted; its id stays refused."""
        if answer.status in SUCCESS:
            self._stores.links.mark_deleted(link)
        return answer.reply()

    def _noted(self, answer: UpstreamResponse, book: ResponseTracker) -> Reply:
        if isinstance(answer.body, UpstreamStream):
            recorded = RecordingStream(answer.body, book)
            recorded.open()
            return Reply(answer.status, answer.headers, recorded)
        if answer.status in SUCCESS:
            response = read_object_with_id(answer.whole)
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


def _item_id(shown: ResponseObject) -> str | None:
    """The id of an answer that is itself an item."""
    is_item = "object" not in shown and "type" in shown
    return text_or_none(shown.get("id")) if is_item else None
