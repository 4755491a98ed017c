"""Records provider responses as they pass: links, owners of items, outcomes, usage.

An id is owned before the bytes that name it are passed on, so no caller has an id without an
owner. Status and usage are recorded when the terminal event has passed.
"""

import math
import re
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from antiphon.auth import Caller
from antiphon.errors import Unavailable, UpstreamFailed
from antiphon.http import Reply, Request, RequestMetrics
from antiphon.limits.admission import Admission
from antiphon.limits.reservation import Reservation
from antiphon.observability import logger
from antiphon.recording.discarding import Discarding
from antiphon.recording.reading import (
    CONTAINER_ID,
    ResponseObject,
    check_id,
    conversation_id,
    item_ids,
    metadata_of,
    outcome_attributes,
    output_containers,
    own_item_id,
    readable_id,
    status_of,
    tier_or_none,
)
from antiphon.recording.tracker import (
    RecordingStream,
    ResourceOwner,
    ResponseTracker,
    Stores,
    TrackedLink,
)
from antiphon.schema.create import CreateResponse
from antiphon.schema.other_bodies import Compact
from antiphon.store.links import FINAL, Kind, Link
from antiphon.upstream.outcome import SUCCESS, UpstreamResponse, policy_for_status
from antiphon.upstream.stream import UpstreamStream

DAY = 86_400
# https://www.w3.org/TR/trace-context/#traceparent-header; ids of zeros alone are invalid.
TRACE_PARENT = re.compile(r"00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")
NO_ID = "The provider's answer has no id that the gateway can record, so it is not passed on."
COMPACTION_DAYS = 7  # until which a compaction is counted, even where it waits in the queue


@dataclass(frozen=True)
class CreateContext:
    """What is known of a response before its provider answers."""

    request: Request
    caller: Caller
    body: CreateResponse
    parent: Link | None
    reservation: Reservation
    on_first_response: Callable[[Link], None]  # runs before the link is written

    def owner(self, target: str) -> ResourceOwner:
        return ResourceOwner(self.request.id, self.caller, target)


class ResponseRecorder:
    def __init__(self, stores: Stores, discarding: Discarding, admission: Admission) -> None:
        self._stores = stores
        self._discarding = discarding
        self._admission = admission

    def record(self, response: UpstreamResponse, context: CreateContext) -> Reply:
        """Record a new response; raise LinkNotWritten where its owner cannot be recorded."""
        if response.status not in SUCCESS:
            context.reservation.end(charges=policy_for_status(response.status).charges)
        return self._track(response, self._track_new(context, response), context.request.metrics)

    def record_abandoned(self, context: CreateContext, response: UpstreamResponse) -> None:
        """Record a stream that failed without output, and that the caller does not get."""
        if not isinstance(response.body, UpstreamStream):
            return
        nothing = self._admission.reservation_from(None)
        unseen = replace(
            context,
            request=replace(context.request, metrics=RequestMetrics()),
            reservation=nothing,
            on_first_response=lambda _: None,
        )
        tracker = self._track_new(unseen, response)
        for _ in RecordingStream(response.body, tracker, response.target, RequestMetrics()):
            pass  # nobody reads it; each event is recorded as it passes

    def follow(
        self, response: UpstreamResponse, link: Link, request_metrics: RequestMetrics
    ) -> Reply:
        """Record what a retrieval shows of a response that has an owner already."""
        reservation = self._admission.reservation_from(link.lease)

        def find_link(found: ResponseObject, _: Link | None) -> TrackedLink:
            check_id(found, link)
            return TrackedLink(link)

        container = self._container_links(_owner_of(link))
        tracker = ResponseTracker(self._stores, reservation, find_link, container, is_new=False)
        return self._track(response, tracker, request_metrics)

    def refresh(self, response: UpstreamResponse, link: Link) -> Link:
        """Record what a poll shows in one write; return the link as it is then.

        Raise UpstreamFailed for an answer that is not a response, Unavailable where the table
        does not take the write: then nothing is recorded, and the next poll records all of it.
        """
        if response.status not in SUCCESS:
            return link
        found = response.members
        check_id(found, link)
        if status_of(found) == link.status:
            return link
        changes = outcome_attributes(found)
        is_final = changes["status"] in FINAL
        if is_final and link.unfinished:
            changes["unfinished"] = None
        items = self._stores.items.ownership_updates(link, item_ids(found)) if is_final else []
        if is_final and CONTAINER_ID in response.content:
            container_links = map(self._container_links(_owner_of(link)), output_containers(found))
            self._stores.own_containers(container_links)
        ended = replace(link, **changes)
        # Before the link: one that has its outcome is not polled again.
        reservation = self._admission.reservation_from(link.lease)
        if not ended.is_pending and not reservation.settle_for(ended):
            raise Unavailable("Its usage is not counted yet.")
        self._stores.links.change_with(link, changes, items)
        return ended

    def open_conversation(self, response: UpstreamResponse, owner: ResourceOwner) -> Reply:
        """Record a new conversation; raise LinkNotWritten where that fails."""
        if response.status in SUCCESS:
            id = readable_id(response.members)
            if id is None:
                raise response.fault or UpstreamFailed(NO_ID)
            link = self._conversation_link(owner, id, metadata_of(response.members))
            self.put_new(response, link)
        return response.reply()

    def pass_conversation(self, response: UpstreamResponse, link: Link) -> Reply:
        """Pass a retrieved conversation on; raise UpstreamFailed for another one."""
        if response.status in SUCCESS:
            check_id(response.members, link)
        return response.reply()

    def amend_conversation(self, response: UpstreamResponse, link: Link) -> Reply:
        """Record a conversation's new metadata."""
        if response.status in SUCCESS:
            check_id(response.members, link)
            self._stores.links.change(link, metadata=metadata_of(response.members))
        return response.reply()

    def record_compaction(
        self,
        response: UpstreamResponse,
        owner: ResourceOwner,
        body: Compact,
        reservation: Reservation,
    ) -> Reply:
        """Record the usage of a compaction, which leaves nothing else behind.

        The caller has paid for the answer, so a failure here is only logged.
        """
        if response.status not in SUCCESS:
            reservation.end(charges=policy_for_status(response.status).charges)
        else:
            self._count_usage(response.members, owner, body, reservation)
        return response.reply()

    def _count_usage(
        self,
        document: ResponseObject,
        owner: ResourceOwner,
        body: CreateResponse | Compact,
        reservation: Reservation,
    ) -> None:
        """Count the usage of what no later call can name."""
        link = _usage_link(owner, document, body)
        try:
            reservation.settle_for(link)
            self._stores.links.put(link)
        except Unavailable as exc:
            logger.error("usage not counted", extra={"error": type(exc).__name__})

    def own_items(self, response: UpstreamResponse, link: Link) -> Reply:
        """Record the owner of the items in a list or an answer; requests may refer to them then."""
        if response.status in SUCCESS:
            document = response.members
            ids = {*item_ids(document), *filter(None, [own_item_id(document)])}
            self._stores.own_items(link, ids)
        return response.reply()

    def mark_deleted(self, response: UpstreamResponse, link: Link) -> Reply:
        """Mark the link of what was deleted; its id stays refused.

        The provider no longer has it, so a failure here is only logged: a retry would be a 404.
        """
        if response.status in SUCCESS:
            try:
                self._stores.links.mark_deleted(link)
            except Unavailable:
                logger.exception("deletion not recorded", extra={"link": link.id})
        return response.reply()

    def _track(
        self,
        response: UpstreamResponse,
        tracker: ResponseTracker,
        request_metrics: RequestMetrics,
    ) -> Reply:
        if isinstance(response.body, UpstreamStream):
            stream = RecordingStream(response.body, tracker, response.target, request_metrics)
            stream.open()
            return Reply(response.status, response.headers, stream)
        if response.status in SUCCESS:
            try:
                tracker.observe(response.members)
            except UpstreamFailed as exc:
                raise response.fault or exc from exc
            if CONTAINER_ID in response.content:
                tracker.own_containers(output_containers(response.members))
            request_metrics.fields.update(tracker.close(terminal_event=""))
        return response.reply()

    def _track_new(self, context: CreateContext, response: UpstreamResponse) -> ResponseTracker:
        own = partial(self._own_new, context, response)
        container = self._container_links(context.owner(response.target))
        return ResponseTracker(self._stores, context.reservation, own, container, is_new=True)

    def _own_new(
        self,
        context: CreateContext,
        response: UpstreamResponse,
        created: ResponseObject,
        first: Link | None,
    ) -> TrackedLink:
        """Write the links of a new response, and of a conversation that it implies.

        Raise UpstreamFailed for an id that no later call could name.
        """
        owner = context.owner(response.target)
        if readable_id(created) is None:
            if first is None:  # otherwise it counts with the link of the first id
                self._count_usage(created, owner, context.body, context.reservation)
            raise UpstreamFailed(NO_ID)
        link = _response_link(context, response.target, created, self._stores)
        if first is not None:
            link = replace(link, alias_of=first.id, root=first.root, metadata={}, lease=None)
            return TrackedLink(link, is_deferred=not self.put_new(response, link))
        implied = conversation_id(created)
        links = [link]
        if implied is not None and implied != context.body.conversation_id:
            links.insert(0, self._conversation_link(owner, implied, {}))
        context.request.metrics.fields.update(response_id=link.id)
        context.on_first_response(link)
        if link.is_final:  # before its link: one that has its outcome is not looked at again
            context.reservation.settle_for(link)
        return self._put_response(response, created, links)

    def _put_response(
        self, response: UpstreamResponse, created: ResponseObject, links: list[Link]
    ) -> TrackedLink:
        """Write links; one that has its outcome, which nothing changes, with its items' owners."""
        link = links[-1]
        if link.is_final and link.store and len(links) == 1:
            with suppress(Unavailable):  # then the link alone, which may wait in the queue
                self._stores.items.own_with(link, item_ids(created))
                return TrackedLink(link, owns_items=True)
        return TrackedLink(link, is_deferred=not self.put_new(response, *links))

    def put_new(self, response: UpstreamResponse, *links: Link) -> bool:
        """Write links; return whether the last is in the table now, or waits in the queue.

        Raise LinkNotWritten where neither takes one; then the provider discards all of them.
        """
        try:
            return [self._stores.links.put(link) for link in links][-1]
        except Unavailable as exc:
            raise self._discarding.discard(response, links) from exc

    def _conversation_link(self, owner: ResourceOwner, id: str, metadata: dict[str, str]) -> Link:
        expires_at = expires_after(self._stores.conversation_days)
        return object_link("conversation", id, owner, expires_at, metadata=metadata)

    def _container_links(self, owner: ResourceOwner) -> Callable[[str], Link]:
        """Return what makes the link of a container; it lives as long as those of responses."""
        days = self._stores.days
        return lambda id: object_link("container", id, owner, expires_after(days))


def _response_link(
    context: CreateContext, target: str, response: ResponseObject, stores: Stores
) -> Link:
    body, parent, id = context.body, context.parent, str(readable_id(response))
    conversation = conversation_id(response) or body.conversation_id
    link = Link(
        id=id,
        tenant=context.caller.tenant,
        key_id=context.caller.key_id,
        request_id=context.request.id,
        target=target,
        root=parent.root if parent else conversation or id,
        created_ms=now_ms(),
        expires_at=expires_after(stores.days),
        model=body.model,
        previous_response_id=body.previous_response_id,
        conversation=conversation,
        background=bool(body.background),
        metadata=dict(body.metadata or {}),
        lease=context.reservation.to_json(),
        ends_by=math.ceil(context.request.ends_by(time.time())) if body.stream else None,
        **{
            "store": body.store is not False,
            "service_tier": tier_or_none(body.service_tier),
            **context.request.metrics.to_link(),
            **outcome_attributes(response),
        },
    )
    return _with_trace(link, context.request) if stores.has_spans else link


def _with_trace(link: Link, request: Request) -> Link:
    """Add what the span of a response needs: its times, and the caller's span."""
    trace_parent = request.headers.get("traceparent", "")
    return replace(
        link,
        started_ms=request.metrics.started_ns // 1_000_000,
        ended_ms=link.created_ms if link.is_final else None,
        trace_parent=trace_parent if TRACE_PARENT.fullmatch(trace_parent) else None,
    )


def object_link(
    kind: Kind, id: str, owner: ResourceOwner, expires_at: int, status: str = "active", **more: Any
) -> Link:
    """Return the link of an object, which has no status or is not polled for it."""
    return Link(
        id=id,
        kind=kind,
        tenant=owner.caller.tenant,
        key_id=owner.caller.key_id,
        request_id=owner.request_id,
        target=owner.target,
        root=id,
        status=status,
        created_ms=now_ms(),
        expires_at=expires_at,
        **more,
    )


def _owner_of(link: Link) -> ResourceOwner:
    return ResourceOwner(link.request_id, Caller(link.tenant, link.key_id), link.target)


def _usage_link(
    owner: ResourceOwner, document: ResponseObject, body: CreateResponse | Compact
) -> Link:
    """Return the link that counts what no later call can name, such as a compaction.

    One without an outcome is counted as unknown.
    """
    id = readable_id(document) or owner.request_id
    tier = {"service_tier": tier_or_none(body.service_tier)}
    outcome = {**tier, **outcome_attributes(document), "store": False}
    return Link(
        id=id,
        kind="compaction",
        tenant=owner.caller.tenant,
        key_id=owner.caller.key_id,
        request_id=owner.request_id,
        target=owner.target,
        root=id,  # part of no tree
        created_ms=now_ms(),
        expires_at=expires_after(COMPACTION_DAYS),
        model=body.model,
        unfinished=None if outcome["status"] in FINAL else "cut",
        **outcome,
    )


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def expires_after(days: int) -> int:
    return int(time.time()) + days * DAY
