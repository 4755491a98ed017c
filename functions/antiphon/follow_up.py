"""What was started is accounted for: late links are written, responses followed to their end.

A response that had not ended when its create was answered is asked after at its provider, less
and less often, until it has ended, is gone, or has been asked after for long enough.
"""

import time
import traceback
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from antiphon.errors import GatewayError, TargetGone, Unavailable
from antiphon.http import Request
from antiphon.limits.admission import Admission
from antiphon.observability import logger, metrics
from antiphon.recording.recorder import ResponseRecorder
from antiphon.routing import Routing
from antiphon.settings.metrics import UNSETTLED
from antiphon.store.links import GIVEN_UP, GONE, Link, Links
from antiphon.store.queue import DeferredWrite, PollResponse, Queue, decode_message
from antiphon.upstream.client import UpstreamClient
from antiphon.upstream.outcome import UpstreamRequest

MAX_POLL_SECONDS = 30.0  # seconds for one question to a provider
RESERVED_SECONDS = 10.0  # seconds before Lambda stops us, kept to write down what was learnt
OUTCOME_ATTRIBUTES = {
    "status",
    "usage",
    "service_tier",
    "upstream_model",
    "completed_at",
    "unfinished",
}
STATUS_NAMES = {200: "still running", 404: GONE}  # what a status means where it is no end
MIN_POLLS_BEFORE_GONE = 6  # looks, two minutes: a provider may know a response from its end on only


@dataclass(frozen=True)
class FollowUp:
    links: Links
    queue: Queue
    routing: Routing
    relay: UpstreamClient
    ledger: ResponseRecorder
    admission: Admission
    patience: float  # seconds after which it gives up

    def settle(self, message: PollResponse | DeferredWrite, ends_at: float) -> None:
        """Do what a message asks for, now or by a later one; `ends_at` is in monotonic seconds.

        Raise Unavailable where neither is possible: then the message stays in the queue.
        """
        try:
            if isinstance(message, DeferredWrite):
                self._write(message)
            else:
                self._follow(message, ends_at)
        except Unavailable:
            if message.age > self.patience:
                raise  # until it is a dead letter, which an operator may send back
            self.queue.send(message.again())

    def _write(self, row: DeferredWrite) -> None:
        """Write what is late, but for an outcome that time has gone past."""
        self.links.restore(row.link)
        told = replace(row.link, **row.changes)
        known = self.links.get(told.kind, told.tenant, told.id)
        newer = told.final or (known is not None and not known.settled)
        changes = {
            n: value for n, value in row.changes.items() if newer or n not in OUTCOME_ATTRIBUTES
        }
        if changes:
            self.links.change(row.link, **changes)
        if newer and not told.pending and not self.admission.lease(told.lease).tell(told):
            raise Unavailable("What it used is not counted yet.")
        if newer and told.pending:
            self.queue.send(PollResponse(told.tenant, told.id))

    def _follow(self, follow: PollResponse, ends_at: float) -> None:
        link = self._pending(follow)
        if link is None:
            return
        said = self._ask(link, self._question(follow, ends_at))
        if self._pending(follow) is None:
            logger.info("settled", extra={"link": link.id, "look": follow.attempt})
        elif said == GONE and follow.attempt >= MIN_POLLS_BEFORE_GONE:
            self._close(link, GONE)
        elif said == TargetGone.code or follow.age > self.patience:
            self._close(link, f"{GIVEN_UP}{said}")
        else:
            self.queue.send(follow.again())

    def _pending(self, follow: PollResponse) -> Link | None:
        link = self.links.get("response", follow.tenant, follow.id)
        return link if link is not None and link.pending else None

    def _question(self, follow: PollResponse, ends_at: float) -> Request:
        id = f"antiphon-settle-{follow.id}-{follow.attempt}"  # the provider's people may ask for it
        ends_at = min(ends_at, time.monotonic() + MAX_POLL_SECONDS)
        return Request(id, "GET", headers={"x-client-request-id": id}, ends_at=ends_at)

    def _ask(self, link: Link, question: Request) -> str:
        """Have the provider's word written down; give it in short."""
        try:
            steps = self.routing.at(link)
            answer = self.relay.send(steps, question, UpstreamRequest(f"/responses/{link.id}"))
            self.ledger.follow(answer, link)
        except GatewayError as exc:
            return str(exc.code)
        return STATUS_NAMES.get(answer.status, f"status {answer.status}")

    def _close(self, link: Link, why: str) -> None:
        logger.warning("not settled", extra={"link": link.id, "why": why})
        metrics.count(UNSETTLED)
        self.links.change(link, unfinished=why)
        self.admission.lease(link.lease).tell(replace(link, unfinished=why))


@dataclass(frozen=True)
class SqsHandler:
    """The function's handler: each message by itself, so that a bad one holds up no other."""

    settling: FollowUp

    def __call__(self, event: Mapping[str, Any], context: LambdaContext) -> dict[str, Any]:
        """Say which messages are to come again, as SQS wants to hear it."""
        logger.append_keys(request_id=context.aws_request_id)
        left = context.get_remaining_time_in_millis() / 1000 - RESERVED_SECONDS
        ends_at = time.monotonic() + left
        failed = [record for record in event["Records"] if not self._settled(record, ends_at)]
        metrics.tell(request_id=context.aws_request_id)
        return {"batchItemFailures": [{"itemIdentifier": r["messageId"]} for r in failed]}

    def _settled(self, record: Mapping[str, Any], ends_at: float) -> bool:
        try:
            self.settling.settle(decode_message(record["body"]), ends_at)
        except Exception as exc:  # noqa: BLE001  whatever it is, the others are not to wait for it
            frame = traceback.extract_tb(exc.__traceback__)[-1]
            where = f"{frame.filename.rpartition('/')[2]}:{frame.lineno}"
            logger.error("message failed", extra={"error": type(exc).__name__, "where": where})
            return False
        return True
