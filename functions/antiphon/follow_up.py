"""Accounts for every response: writes deferred links, and polls unfinished responses to their end.

A response that had not ended when its create was answered is polled at its provider, less and
less often, until it has ended, is gone, or has been polled for long enough. So is every batch.

What is not done is sent to the queue again, as a message that is as old as the one before. Lambda
allows this function such a loop without a limit, so each chain of messages must end here, by its
age: see docs/decisions/0024-settle-ends-its-own-loops.md.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from antiphon.errors import GatewayError, NotSupportedByTarget, TargetGone, Unavailable
from antiphon.limits.admission import Admission
from antiphon.observability import failure_fields, logger, metrics
from antiphon.recording.recorder import ResponseRecorder
from antiphon.recording.resources import BATCH_ENDS, ResourceRecorder
from antiphon.routing import Routing
from antiphon.settings.metrics import UNSETTLED
from antiphon.store.dynamodb import CallTime, ConditionFailed, Table
from antiphon.store.links import GIVEN_UP, GONE, Link, Links
from antiphon.store.queue import (
    DeferredUpdates,
    DeferredWrite,
    DeliverWebhook,
    Message,
    PollBatch,
    PollReported,
    PollResponse,
    PublishEvent,
    Queue,
    SettleReservation,
    decode_message,
)
from antiphon.store.reservations import StoredReservation
from antiphon.upstream.client import UpstreamClient
from antiphon.upstream.outcome import UpstreamRequest

if TYPE_CHECKING:
    from antiphon.store.event_bus import EventBus
    from antiphon.webhook_delivery import WebhookDelivery

# For one poll of a provider. The batch size in infra/constructs/function_specs.py follows from it.
MAX_POLL_SECONDS = 30.0
MAX_BATCH_SECONDS = 2 * 86_400  # for which a batch is polled: it has a day
RESERVED_SECONDS = 10.0  # before Lambda's limit, for recording what a poll found
STATUS_NAMES = {200: "still running", 404: GONE}  # what a status means when it is not the end
UNREACHABLE = {TargetGone.code, NotSupportedByTarget.code}  # whatever the number of polls
MAX_REPORTED_POLLS = 4  # after 0, 4, 12 and 28 seconds
MIN_POLLS_BEFORE_GONE = 6  # two minutes: a provider may not find a response before its end


@dataclass(frozen=True, eq=False, repr=False)
class FollowUp:
    table: Table
    links: Links
    queue: Queue
    routing: Routing
    upstream: UpstreamClient
    recorder: ResponseRecorder
    resources: ResourceRecorder
    admission: Admission
    max_age: float  # seconds after which polling stops
    bus: "EventBus | None" = None
    webhooks: "WebhookDelivery | None" = None
    clock: Callable[[], float] = time.time  # epoch seconds

    def handle(self, message: Message, ends_at: float) -> None:
        """Do what a message requests, or send it again; `ends_at` is in time.monotonic() seconds.

        Raise Unavailable where neither is possible: then the message stays in the queue.
        """
        try:
            self._apply(message, ends_at)
        except Unavailable:
            if self._is_over(message):
                raise  # until it is a dead letter, which an operator may redrive
            self.queue.send(message.next_attempt())

    def _apply(self, message: Message, ends_at: float) -> None:
        match message:
            case DeferredWrite():
                self._write(message)
            case DeferredUpdates():
                self._update(message)
            case SettleReservation():
                stored = StoredReservation(message.row, message.id, message.refund)
                self.admission.rows.settle(stored, message.amounts, is_open=message.is_open)
            case PublishEvent() | DeliverWebhook():
                self._announce(message, ends_at)
            case PollBatch() | PollReported() | PollResponse():
                self._follow(message, ends_at)

    def _follow(self, poll: PollBatch | PollReported | PollResponse, ends_at: float) -> None:
        match poll:
            case PollBatch():
                self._poll_batch(poll, ends_at)
            case PollReported():
                self._poll_reported(poll, ends_at)
            case PollResponse():
                self._poll_when_due(poll, ends_at)

    def _announce(self, message: PublishEvent | DeliverWebhook, ends_at: float) -> None:
        """Send an event, unless the bus or webhooks were switched off since it was queued."""
        if isinstance(message, DeliverWebhook):
            if self.webhooks is not None:
                self.webhooks.handle(message, ends_at)
        elif self.bus is not None:
            self.bus.put_one(message.event)

    def _write(self, deferred: DeferredWrite) -> None:
        """Write a deferred link, and changes of it."""
        self.links.restore(deferred.link)
        updated = replace(deferred.link, **deferred.changes)
        if not updated.is_open:
            self._settle(updated)
        if deferred.changes:
            self.links.change(deferred.link, **deferred.changes)

    def _update(self, deferred: DeferredUpdates) -> None:
        for update in deferred.updates:
            with suppress(ConditionFailed):  # the row belongs to another request by now
                self.table.update(update, return_all=False)

    def _poll_when_due(self, poll: PollResponse, ends_at: float) -> None:
        if poll.seconds_early_at(self.clock()) > 0 and not self._is_over(poll):
            self.queue.send(poll)  # which could not delay it for so long
        else:
            self._poll(poll, ends_at)

    def _poll(self, poll: PollResponse, ends_at: float) -> None:
        """Read the link once, poll its provider once, and write what it answers at once."""
        link = self._open_link(poll)
        if link is None:
            return
        if not link.is_pending:
            self._give_up(poll, f"{GIVEN_UP}{'deleted' if link.deleted_at else 'not stored'}")
            return
        link, state = self._ask_provider(link, poll, ends_at)
        if not link.is_pending:
            logger.info("settled", extra={"link": link.id, "poll": poll.attempt})
        elif state == GONE and poll.attempt >= MIN_POLLS_BEFORE_GONE:
            self._give_up(poll, GONE)
        elif state in UNREACHABLE or self._is_over(poll):
            self._give_up(poll, f"{GIVEN_UP}{state}")
        else:
            self._poll_again(poll, link)

    def _poll_batch(self, poll: PollBatch, ends_at: float) -> None:
        """Poll a batch until it has ended; a day and its results may take a little longer."""
        link = self.links.get("batch", poll.tenant, poll.id)
        if link is None or link.status in BATCH_ENDS:
            return
        status = self._ask_for_batch(link, poll, ends_at)
        if status in BATCH_ENDS:
            logger.info("settled", extra={"link": link.id, "poll": poll.attempt})
        elif self._is_over(poll):
            logger.warning("not settled", extra={"link": link.id, "why": status})
            metrics.count(UNSETTLED)
        else:
            self.queue.send(poll.next_attempt())

    def _ask_for_batch(self, link: Link, poll: PollBatch | PollReported, ends_at: float) -> str:
        """Record what the provider answers; return the batch's status as far as it is known."""
        try:
            request = _make_poll(link.path, poll, ends_at)
            response = self.upstream.send(self.routing.candidates_for(link), request)
            return self.resources.record_batch(response, link)
        except GatewayError as exc:
            logger.warning("batch not polled", extra={"link": link.id, "code": exc.code})
            return link.status

    def _poll_reported(self, reported: PollReported, ends_at: float) -> None:
        """Poll what has ended as its provider reports; the other polls find what is not seen."""
        link = self.links.get(reported.object, reported.tenant, reported.id)
        if link is None or link.status in BATCH_ENDS or link.is_settled:
            return
        if link.kind == "batch":
            is_settled = self._ask_for_batch(link, reported, ends_at) in BATCH_ENDS
        else:
            is_settled = self._ask_provider(link, reported, ends_at)[0].is_settled
        if is_settled:
            logger.info("settled", extra={"link": link.id, "reported": reported.attempt})
        elif reported.attempt < MAX_REPORTED_POLLS:  # it may not show the end yet
            self.queue.send(reported.next_attempt())

    def _is_over(self, message: Message) -> bool:
        """Whether no further message may follow this one."""
        max_age = self.max_age
        if isinstance(message, PollBatch):
            max_age = MAX_BATCH_SECONDS
        elif isinstance(message, DeliverWebhook) and self.webhooks is not None:
            max_age = self.webhooks.retry_seconds
        return message.age_at(self.clock()) > max_age

    def _poll_again(self, poll: PollResponse, link: Link) -> None:
        if poll.not_before:  # its request did not extend its reservation, nor an earlier poll
            self._settle(link)
        self.queue.send(poll.next_attempt())

    def _open_link(self, poll: PollResponse) -> Link | None:
        """Return the link if this poll has to find its outcome.

        Since a stream was cut it has another poll than the one that waits for its request's end.
        """
        link = self.links.find("response", poll.tenant, poll.id)
        if link is None or not link.is_open or (poll.not_before and link.unfinished):
            return None
        return link

    def _settle(self, link: Link) -> None:
        """Count a response against limits, before its link says that it has ended."""
        if not self.admission.reservation_from(link.lease).settle_for(link):
            raise Unavailable("Its usage is not counted yet.")

    def _ask_provider(
        self, link: Link, poll: PollResponse | PollReported, ends_at: float
    ) -> tuple[Link, str]:
        """Record what the provider answers; return the link as it is then, and a short state."""
        request = _make_poll(f"/responses/{link.path_segment}", poll, ends_at)
        try:
            response = self.upstream.send(self.routing.candidates_for(link, "retrieve"), request)
            link = self.recorder.refresh(response, link)
        except GatewayError as exc:
            return link, str(exc.code)
        return link, STATUS_NAMES.get(response.status, f"status {response.status}")

    def _give_up(self, poll: PollResponse, reason: str) -> None:
        """End the polling, unless the response has ended during the last poll."""
        link = self._open_link(poll)
        if link is None:
            return
        logger.warning("not settled", extra={"link": link.id, "why": reason})
        metrics.count(UNSETTLED)
        self._settle(replace(link, unfinished=reason))
        self.links.change(link, unfinished=reason)


def _make_poll(
    path: str, poll: PollResponse | PollBatch | PollReported, ends_at: float
) -> UpstreamRequest:
    # The provider's support may ask for it; OpenAI accepts up to 512 characters.
    id = f"antiphon-settle-{poll.id[:400]}-{poll.attempt}"
    latest = min(ends_at, time.monotonic() + MAX_POLL_SECONDS)
    return UpstreamRequest("GET", path, headers={"x-client-request-id": id}, ends_at=latest)


@dataclass(frozen=True, eq=False, repr=False)
class SqsHandler:
    """The function's handler; each message succeeds or fails by itself.

    Each has each of the `times`, so that one with a slow table takes none from the others.
    """

    follow_up: FollowUp
    times: Sequence[CallTime] = ()

    def __call__(self, event: Mapping[str, Any], context: LambdaContext) -> dict[str, Any]:
        """Return the messages to deliver again, as SQS expects partial batch responses.

        https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html
        """
        logger.append_keys(request_id=context.aws_request_id)
        left = context.get_remaining_time_in_millis() / 1000 - RESERVED_SECONDS
        ends_at = time.monotonic() + left
        failed = [record for record in event["Records"] if not self._handle(record, ends_at)]
        metrics.flush(request_id=context.aws_request_id)
        return {"batchItemFailures": [{"itemIdentifier": r["messageId"]} for r in failed]}

    def _handle(self, record: Mapping[str, Any], ends_at: float) -> bool:
        for time_limit in self.times:
            time_limit.renew()
        try:
            self.follow_up.handle(decode_message(record["body"]), ends_at)
        except Exception as exc:  # noqa: BLE001  whatever it is, the others must not wait for it
            logger.error("message failed", extra=failure_fields(exc))
            return False
        return True
