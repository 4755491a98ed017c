"""One response from the first mention of its id to its outcome, as its bytes pass."""

import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import batched, chain
from typing import Any

from cachetools import TTLCache

from antiphon.auth import Caller
from antiphon.errors import GatewayError, LinkNotWritten, Unavailable
from antiphon.http import RequestMetrics, Send
from antiphon.limits.reservation import Reservation
from antiphon.observability import failure_fields, logger, metrics
from antiphon.pricing import STANDARD_TIERS
from antiphon.recording.reading import (
    CONTAINER_ID,
    ResponseObject,
    event_containers,
    item_ids,
    outcome_attributes,
    readable_id,
    status_of,
)
from antiphon.settings.metrics import CUT_STREAMS, DEFERRED_ROWS, LINK_NOT_WRITTEN
from antiphon.store.containers import USE_SECONDS
from antiphon.store.dynamodb import Update
from antiphon.store.items import MAX_UPDATES, Items, build_updates
from antiphon.store.links import FINAL, Link, Links
from antiphon.store.queue import DeferredUpdates, DeferredWrite, Queue
from antiphon.upstream.stream import EventBatch, UpstreamStream

CACHED_CONTAINERS = 1_000  # recorded lately, so that they are not written again
NOT_OWNED = (
    "The response uses a container whose owner the gateway could not record, so the rest of it is "
    "not passed on. Retrieve the response later."
)
ITEMS_SECONDS = 1.0  # for which a terminal event waits until its items have an owner


class DurableLinks:
    """Raise Unavailable where both the table and the queue fail.

    Until a deferred link is written its id is as unknown as any other: nothing fails open.
    """

    def __init__(self, links: Links, queue: Queue) -> None:
        self._links = links
        self._queue = queue

    def put(self, link: Link) -> bool:
        """Return whether the link is in the table now; otherwise it waits in the queue."""
        try:
            self._links.put(link)
        except Unavailable:
            self._defer(link, {})
            return False
        return True

    def own(self, link: Link) -> None:
        """Record a link of what the tenant may own already."""
        try:
            self._links.own(link)
        except Unavailable:
            self._defer(link, {})

    def change(self, link: Link, *, is_deferred: bool = False, **changes: Any) -> None:
        """Set attributes of a link; what a deferred link changes waits in the queue behind it."""
        if is_deferred:
            self._defer(link, changes)
            return
        try:
            self._links.change(link, **changes)
        except Unavailable:
            self._defer(link, changes)

    def change_with(self, link: Link, changes: dict[str, Any], updates: Sequence[Update]) -> None:
        """Set attributes of a link and make other updates, all of them or none.

        Raise Unavailable where the table does not take them: nothing waits in the queue then.
        """
        self._links.change_with(link, changes, updates)

    def mark_deleted(self, link: Link) -> None:
        """From now on the id is refused; the row stays until it expires."""
        self.change(link, deleted_at=int(time.time()))

    def own_later(self, link: Link, ids: Iterable[str]) -> None:
        """Have the owners of a link's items written when the table takes them."""
        for batch in batched(build_updates(link, ids), MAX_UPDATES, strict=False):
            self._send(link, DeferredUpdates(batch))

    def _defer(self, link: Link, changes: dict[str, Any]) -> None:
        self._send(link, DeferredWrite(link, changes))

    def _send(self, link: Link, message: DeferredWrite | DeferredUpdates) -> None:
        try:
            self._queue.send(message)
        except Unavailable:
            metrics.count(LINK_NOT_WRITTEN)
            raise
        metrics.count(DEFERRED_ROWS)
        logger.warning("write deferred", extra={"link": link.id})


@dataclass(frozen=True)
class ResourceOwner:
    """Who owns what a request creates, and at which target it is stored."""

    request_id: str
    caller: Caller
    target: str


@dataclass(frozen=True, eq=False, repr=False)
class Stores:
    """Where outcomes are recorded, and for how many days links are stored."""

    links: DurableLinks
    items: Items
    days: int
    conversation_days: int
    shared: Collection[str] = ()  # ids of what only operators own
    has_spans: bool = False  # whether links record what a span needs; it makes their rows larger
    containers: TTLCache[tuple[str, str], bool] = field(
        default_factory=lambda: TTLCache(CACHED_CONTAINERS, USE_SECONDS), compare=False
    )

    def own_items(self, link: Link, ids: Iterable[str]) -> None:
        """Let the link's tenant refer to items; raise Unavailable where table and queue fail."""
        new = list(ids)
        try:
            self.items.own(link.tenant, new, link.target, link.expires_at)
        except Unavailable:
            self.links.own_later(link, new)

    def own_containers(self, links: Iterable[Link]) -> None:
        """Record containers that a provider names; raise Unavailable where table and queue fail."""
        for link in links:
            key = link.tenant, link.id
            if link.id not in self.shared and key not in self.containers:
                self.links.own(link)
                self.containers[key] = True


@dataclass(frozen=True)
class TrackedLink:
    """The link of the response that is passing."""

    link: Link
    is_deferred: bool = False  # waits in the queue, so its changes must wait behind it
    owns_items: bool = False  # the owners of all its items are written


class ResponseTracker:
    """`observe` each response object before its bytes pass on; then `close` once.

    The rollup function has every link polled that this leaves without an outcome.
    """

    def __init__(
        self,
        stores: Stores,
        reservation: Reservation,
        find_link: Callable[[ResponseObject, Link | None], TrackedLink],
        container_link: Callable[[str], Link],
        *,
        is_new: bool,
    ) -> None:
        """`find_link` returns the link for a response object; a new one is written then.

        It is called for each new id, with the link of the first one, since an id may change.

        `container_link` returns the link to write for a container's id.

        `is_new`: whether this request creates the response, rather than retrieves it.
        """
        self._stores = stores
        self._reservation = reservation
        self._find_link = find_link
        self._container_link = container_link
        self._is_new = is_new
        self._tracked: TrackedLink | None = None
        self._ids: set[str | None] = set()
        self._unwritten: ResponseObject | None = None  # the newest object that changes the link
        self._unowned: list[str] = []  # ids of items whose owner the table did not take in time

    def observe(self, response: ResponseObject) -> None:
        """Own what this response object names; raise LinkNotWritten where that fails."""
        id = readable_id(response)
        if self._tracked is not None and self._is_new:
            self._remember(self._tracked.link, response)  # it counts, also where its id is odd
        if self._tracked is None or id not in self._ids:
            found = self._find_link(response, None if self._tracked is None else self._tracked.link)
            self._tracked = self._tracked or found
            self._ids.add(id)
        self._remember(self._tracked.link, response)
        is_owned = self._tracked.owns_items
        if status_of(response) in FINAL and self._tracked.link.store and not is_owned:
            self._own_items(self._tracked.link, response)

    def own_containers(self, ids: Iterable[str]) -> None:
        """Own the containers that the response uses, so that their tenant may use them again.

        Raise LinkNotWritten where that fails, or Unavailable if the request creates nothing.
        """
        try:
            self._stores.own_containers(map(self._container_link, ids))
        except Unavailable as exc:
            if not self._is_new:
                raise
            raise LinkNotWritten(NOT_OWNED) from exc

    def _remember(self, link: Link, response: ResponseObject) -> None:
        is_same = link.status == status_of(response) and self._unwritten is None
        self._unwritten = None if is_same else response

    def close(self, terminal_event: str | None) -> dict[str, object]:
        """Record the outcome, and return its fields for the log.

        The caller has the response, so a failure here is only logged.

        `terminal_event`: its type; None where the stream had none, "" for a complete response.
        """
        if self._tracked is not None:
            self._own_later(self._tracked.link)
            ended = self._record_outcome(self._tracked, terminal_event)
            fields = outcome_fields(ended.unfinished or ended.status, ended.usage)
            has_own_price = ended.service_tier not in STANDARD_TIERS
            return {**fields, "service_tier": ended.service_tier} if has_own_price else fields
        if self._is_new:  # a stream that named no response: nobody will ever know its usage
            self._reservation.keep_reserved()
        return outcome_fields(None, None)

    def _record_outcome(self, tracked: TrackedLink, terminal_event: str | None) -> Link:
        """Return the link with its outcome, also where that is not written."""
        link = tracked.link
        changes = {} if link.is_final else self._changes(link, terminal_event)
        ended = replace(link, **changes) if changes else link
        # Before the link: one that has its outcome is not looked at again, any other is polled.
        was_pending = not link.is_final and not ended.is_pending
        is_settled = not (self._is_new or was_pending) or self._reservation.settle_for(ended)
        try:
            if changes and is_settled:
                self._stores.links.change(link, is_deferred=tracked.is_deferred, **changes)
        except Exception as exc:  # noqa: BLE001  whatever it is, polling finds the outcome again
            logger.error("outcome not written", extra={"link": link.id, **failure_fields(exc)})
        return ended

    def _changes(self, link: Link, terminal_event: str | None) -> dict[str, Any]:
        changes = {} if self._unwritten is None else outcome_attributes(self._unwritten)
        if changes.get("status") in FINAL:
            if self._stores.has_spans and self._is_new:
                changes["ended_ms"] = time.time_ns() // 1_000_000
            return {**changes, "unfinished": None} if link.unfinished else changes
        is_stored = changes.get("store", link.store)
        if self._is_new and (terminal_event != "" or not is_stored):  # nothing more is recorded
            reason = {None: "cut", "error": "error"}.get(terminal_event, "unreadable")
            return {**changes, "unfinished": reason}
        return changes

    def _own_items(self, link: Link, response: ResponseObject) -> None:
        """From now on a request may refer to these items by id.

        The terminal event waits for this, but not for a table that hangs.
        """
        ids = list(item_ids(response))
        try:
            with self._stores.items.at_most(ITEMS_SECONDS):
                self._stores.items.own(link.tenant, ids, link.target, link.expires_at)
        except Unavailable:
            self._unowned = ids

    def _own_later(self, link: Link) -> None:
        try:
            if self._unowned:
                self._stores.links.own_later(link, self._unowned)
        except Unavailable:  # fail closed: they cannot be referred to, the response can
            logger.exception("items not owned", extra={"link": link.id})


def outcome_fields(status: object, usage: object) -> dict[str, object]:
    """Return what a log line has of an outcome: the status, and the tokens that are known."""
    tokens = usage if isinstance(usage, Mapping) else {}
    names = ("input_tokens", "output_tokens")
    numbers = {name: tokens[name] for name in names if type(tokens.get(name)) is int}
    details = tokens.get("input_tokens_details")
    cached = details.get("cached_tokens") if isinstance(details, Mapping) else None
    if cached and type(cached) is int:  # they have a price of their own
        numbers["cached_tokens"] = cached
    return {"response_status": status, **numbers}


class RecordingStream:
    """A stream's events, passed on after what they name is recorded."""

    def __init__(
        self,
        stream: UpstreamStream,
        tracker: ResponseTracker,
        target: str,
        request_metrics: RequestMetrics,
    ) -> None:
        self._stream = stream
        self._tracker = tracker
        self._target = target
        self._request_metrics = request_metrics
        self._batches = iter(stream)
        self._owned: ResponseObject | None = None  # the last response object that was recorded
        self._has_ended = False  # the provider's terminal event is recorded and passes
        self._is_closed = False

    def open(self) -> None:
        """Record what the first event names, while the status is still open."""
        try:
            first = next(self._batches)
            self._observe(first)
        except BaseException:
            self.close()
            raise
        self._batches = chain((first._replace(responses=()),), self._batches)

    def attach(self, send: Send) -> None:
        self._stream.attach(send)

    def interrupt(self) -> None:
        self._stream.interrupt()

    def __iter__(self) -> Iterator[bytes]:
        try:
            for batch in self._batches:
                if batch.responses or CONTAINER_ID in batch.data:
                    self._observe(batch)
                if batch.ends:
                    self._has_ended = True
                yield batch.data
        except Exception as exc:  # noqa: BLE001  clients take a stream that just ends for success
            fault = _fault_of(exc)
            if self._terminal_event is None:
                self._request_metrics.fields.update(code=fault.code)
                yield self._stream.terminal_pair(fault, self._owned)
        finally:  # the outcome is recorded before the caller sees the end of the body
            self.close()

    def close(self) -> None:
        if self._is_closed:
            return
        self._is_closed = True
        self._stream.close()
        if self._terminal_event is None:
            logger.warning("stream cut", extra={"target": self._target})
            metrics.count(CUT_STREAMS)
        outcome = self._tracker.close(self._terminal_event)
        self._request_metrics.fields.update(outcome | self._end_fields())

    @property
    def _terminal_event(self) -> str | None:
        """The provider's terminal event; it may have arrived and not have passed."""
        return self._stream.ended if self._has_ended else None

    def _end_fields(self) -> dict[str, object]:
        """Return what a log line has of the stream's end."""
        fault = self._stream.fault
        code = fault.code if fault else self._stream.error_code
        size = {"events": self._stream.passed_events, "bytes": self._stream.passed_bytes}
        return {**size, "code": code} if code else {**size}

    def _observe(self, batch: EventBatch) -> None:
        for response in batch.responses:
            self._tracker.observe(response)
            self._owned = response
        if CONTAINER_ID in batch.data:
            self._own_containers(batch.data)

    def _own_containers(self, events: bytes) -> None:
        """Own the containers that events name; where that fails, our own end names none either."""
        try:
            self._tracker.own_containers(event_containers(events))
        except Exception:
            self._owned = self._owned and {**self._owned, "output": []}
            raise


def _fault_of(exc: Exception) -> GatewayError:
    """Return what the caller reads of an exception behind the first byte."""
    if isinstance(exc, GatewayError):
        return exc
    logger.error("stream failed", extra=failure_fields(exc))
    return GatewayError("The gateway failed while it passed the response on.")
