"""A create that comes again with its Idempotency-Key gets the first outcome and is not sent again.

That holds for responses, and for files, vector stores and the other resources.

Of all requests with one key one is sent; the others get its outcome. Which outcomes free a key is
decided by upstream.outcome, see docs/decisions/0007-one-key-one-response.md.
https://datatracker.ietf.org/doc/draft-ietf-httpapi-idempotency-key-header
"""

import hashlib
import json
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from types import TracebackType
from typing import Self
from urllib.parse import urlencode

from antiphon.auth import Caller
from antiphon.errors import (
    GatewayError,
    IdempotencyKeyInFlight,
    IdempotencyKeyReused,
    InvalidRequest,
    NotFound,
    OutcomeNotStored,
    Unavailable,
    UpstreamFailed,
)
from antiphon.http import FiniteBody, OnCloseBody, Reply, Request
from antiphon.idempotency.replay import replay_events
from antiphon.observability import logger
from antiphon.ownership import Ownership
from antiphon.recording.reading import read_object, status_of
from antiphon.recording.recorder import ResponseRecorder
from antiphon.routing import Routing
from antiphon.schema.create import CreateResponse
from antiphon.schema.multipart import form_parts, is_form
from antiphon.store.idempotency import IdempotencyRecord, IdempotencyRecords
from antiphon.store.links import FINAL, Kind, Link, ResourceKind
from antiphon.upstream.client import UpstreamClient
from antiphon.upstream.outcome import (
    NOT_FOUND,
    SUCCESS,
    Policy,
    UpstreamRequest,
    UpstreamResponse,
    policy_for_fault,
    policy_for_status,
)

HEADER = "Idempotency-Key"
KEY_PATTERN = re.compile(r"[!-~]{1,255}")
FINGERPRINT_HEADERS = ("openai-beta", "x-ms-oai-image-generation-deployment")  # change an answer
RESOURCE_HEADERS = ("openai-beta", "x-antiphon-target", "x-antiphon-model")
RETRY_SECONDS = 5  # until a retry is useful
REPLAYED_HEADER = {"x-antiphon-replayed": "true"}
REPLY_HEADERS = {
    "content-type": "application/json",
    "cache-control": "no-store",
    **REPLAYED_HEADER,
}
EVENT_STREAM = "text/event-stream; charset=utf-8"


class IdempotencyGuard:
    """Records the outcome of the one request that is sent with a key.

    Without a record it does nothing; `earlier` is the record of an earlier request with the key.
    An outcome that certainly started nothing frees the key; after any other the key belongs to
    that outcome. An outcome that neither table nor queue takes is lost: then the record's deadline
    frees the key.
    """

    def __init__(
        self,
        records: IdempotencyRecords,
        record: IdempotencyRecord | None,
        earlier: IdempotencyRecord | None = None,
    ) -> None:
        self.earlier = earlier
        self._records = records
        self._record = record
        self._response_id: str | None = None
        self._is_recorded = record is None

    def remember_response(self, link: Link) -> None:
        """Record a response's id before any caller gets it: a crash after this loses nothing."""
        self._response_id = link.id
        self._write(lambda record: self._records.set_response(record, link.id))

    def free(self) -> None:
        """Let the key be used again at once: whatever the request gets, it has made nothing."""
        self._write(self._records.free)
        self._record = None

    def record_reply(self, reply: Reply) -> Reply:
        """Record the outcome; for a stream that has named no response yet, at its end."""
        if reply.status not in SUCCESS and self._response_id is None:
            self._record_error(policy_for_status(reply.status), reply.status, UpstreamFailed.code)
        elif isinstance(reply.body, bytes):
            self._record_end()
        elif not self._is_recorded:
            return replace(reply, body=OnCloseBody(reply.body, self._record_end))
        return reply

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if isinstance(exc, Exception):
            error = exc if isinstance(exc, GatewayError) else GatewayError(str(kind))
            self._record_error(policy_for_fault(exc), error.status, error.code)

    def _record_error(self, policy: Policy, status: int, code: str | None) -> None:
        if policy.frees_key:
            self._write(self._records.free)
        else:
            self._write(lambda record: self._records.set_failure(record, status, code))

    def _record_end(self) -> None:
        """Record what is not recorded yet when the reply has ended."""
        id = self._response_id
        if self._is_recorded:
            return
        if id is None:
            fault = UpstreamFailed("The provider named no response.")
            self._record_error(policy_for_fault(fault), fault.status, fault.code)
        else:
            self._write(lambda record: self._records.set_response(record, id))

    def _write(self, write: Callable[[IdempotencyRecord], bool]) -> None:
        """The caller's response is worth more than this record, so a failure is only logged."""
        if self._record is None:
            return
        try:
            self._is_recorded = write(self._record)
        except Unavailable:
            logger.exception("idempotency outcome not written", extra={"link": self._response_id})


@dataclass(frozen=True, eq=False, repr=False)
class Idempotency:
    records: IdempotencyRecords
    ownership: Ownership
    routing: Routing
    upstream: UpstreamClient
    recorder: ResponseRecorder

    def guard(self, request: Request, caller: Caller, kind: Kind = "response") -> IdempotencyGuard:
        """Claim the key of a request that creates something; without a key this costs nothing.

        Raise InvalidRequest for an invalid key, IdempotencyKeyReused where it belongs to another
        request, Unavailable where the table does not say whether it is free.
        """
        key = _read_key(request)
        if key is None:
            return IdempotencyGuard(self.records, None)
        request_print = fingerprint(request, kind)
        record = self.records.claim(caller.tenant, key, request_print, request)
        if record.request_id == request.id:
            return IdempotencyGuard(self.records, record)
        if record.fingerprint != request_print:
            message = f"This {HEADER} belongs to another request. Use a new one for this request."
            raise IdempotencyKeyReused(message, param=HEADER)
        return IdempotencyGuard(self.records, None, earlier=record)

    def replay(self, first: IdempotencyRecord, request: Request, body: CreateResponse) -> Reply:
        """Return the outcome of the first request with the key, which may have ended unnoticed.

        Raise IdempotencyKeyInFlight while it has none, OutcomeNotStored where its response is
        not stored.
        """
        if first.status is not None:
            return _failure_reply(first, first.status)
        link = self._link(first, "response")
        request.metrics.fields.update(response_id=link.id)
        if not link.store:
            raise outcome_not_stored(f"'{link.id}' was created with 'store' set to false")
        reply = self.recorder.follow(self._retrieve(link, request, body), link, request.metrics)
        if reply.status not in SUCCESS:
            return reply
        return _replay_reply(reply, streams=bool(body.stream)).with_headers(body.rewrites)

    def replay_resource(
        self, first: IdempotencyRecord, kind: ResourceKind, request: Request
    ) -> Reply:
        """Return what the first request with the key has made, as it is now.

        Raise what `replay` raises.
        """
        if first.status is not None:
            return _failure_reply(first, first.status)
        link = self._link(first, kind)
        if kind == "upload":  # providers have no call that retrieves one
            body = json.dumps(link.details).encode()
            return Reply(200, {**REPLY_HEADERS, "x-antiphon-target": link.target}, body)
        retrieval = UpstreamRequest(
            "GET",
            link.path,
            headers=request.headers,
            ends_at=request.ends_at,
            metrics=request.metrics,
        )
        response = self.upstream.send(self.routing.candidates_for(link), retrieval)
        if response.status == NOT_FOUND:
            raise outcome_not_stored(f"its provider no longer finds '{link.id}'")
        return response.reply().with_headers(REPLAYED_HEADER)

    def _seconds_left(self, first: IdempotencyRecord) -> float:
        """Return the seconds until the first request has ended in any case."""
        return first.deadline - self.records.clock()

    def _link(self, first: IdempotencyRecord, kind: Kind) -> Link:
        """Return the link of what the first request created; raise what `replay` raises."""
        if first.response_id is None:
            raise key_in_flight(self._seconds_left(first))
        try:
            return self.ownership.owned_link(kind, first.tenant, first.response_id)
        except NotFound as exc:
            raise self._missing_link(first, kind, first.response_id) from exc

    def _missing_link(self, first: IdempotencyRecord, kind: Kind, id: str) -> InvalidRequest:
        """A missing link is either deferred, and will be written, or it is deleted or expired."""
        link = self.ownership.links.find(kind, first.tenant, id)
        is_gone = link is not None and not link.is_live
        if self._seconds_left(first) > 0 and not is_gone:
            return key_in_flight(self._seconds_left(first))
        return outcome_not_stored("it was deleted, or has expired")

    def _retrieve(self, link: Link, request: Request, body: CreateResponse) -> UpstreamResponse:
        """Retrieve the response; a background response also as the stream that it was."""
        streams = bool(body.stream) and link.background
        query = [("include[]", name) for name in body.include or ()]
        query += [("stream", "true")] if streams else []
        retrieval = UpstreamRequest(
            "GET",
            f"/responses/{link.path_segment}",
            query="&".join(filter(None, (request.query, urlencode(query)))),
            headers=request.headers,
            streams=streams,
            ends_at=request.ends_at,
            metrics=request.metrics,
        )
        response = self.upstream.send(self.routing.candidates_for(link), retrieval)
        if response.status == NOT_FOUND:
            raise self._unknown_at_provider(link)
        return response

    def _unknown_at_provider(self, link: Link) -> InvalidRequest:
        """A provider does not find a response that is too new, or that it has removed."""
        if link.is_pending or (link.completed_at and link.is_new(self.records.clock())):
            return key_in_flight()
        return outcome_not_stored(f"its provider no longer finds '{link.id}'")


def fingerprint(request: Request, kind: Kind = "response") -> str:
    """Return a digest of all that decides the answer; bodies are compared byte for byte.

    The parts of a form are, whatever its boundary is: clients invent a new one for each attempt.
    """
    names = FINGERPRINT_HEADERS if kind == "response" else RESOURCE_HEADERS
    parts = [request.headers.get(name, "") for name in names]
    parts += [] if kind == "response" else [kind]
    digest = hashlib.sha256()
    for part in (request.method, request.query, *parts):
        digest.update(hashlib.sha256(part.encode()).digest())  # equal lengths: parts stay apart
    content_type = request.headers.get("content-type", "")
    if kind != "response" and is_form(content_type):
        for content in form_parts(content_type, request.body):
            digest.update(hashlib.sha256(content).digest())
    else:
        digest.update(request.body)
    return digest.hexdigest()


def key_in_flight(seconds_left: float = RETRY_SECONDS) -> IdempotencyKeyInFlight:
    return IdempotencyKeyInFlight(
        f"The first request with this {HEADER} has not ended. Retry when it has.",
        param=HEADER,
        headers={"retry-after": str(max(1, min(RETRY_SECONDS, int(seconds_left))))},
    )


def outcome_not_stored(reason: str) -> OutcomeNotStored:
    message = f"The outcome of the first request with this {HEADER} is not stored: {reason}."
    return OutcomeNotStored(f"{message} Use a new key to send the request again.", param=HEADER)


def _read_key(request: Request) -> str | None:
    """Raise InvalidRequest for an invalid key."""
    key = request.headers.get(HEADER.lower())
    if key is not None and not KEY_PATTERN.fullmatch(key):
        message = f"Invalid '{HEADER}': expected 1 to 255 visible ASCII characters."
        raise InvalidRequest(message, param=HEADER, code="invalid_value")
    return key


def _failure_reply(first: IdempotencyRecord, status: int) -> Reply:
    """Repeat the first request's failure, without the provider's message: it is not stored."""
    fault = GatewayError(
        f"The first request with this {HEADER} ended with this failure. It may have been "
        "processed, so it is not sent again. Use a new key to send the request again.",
        code=first.code,
    )
    return Reply(status, {**REPLY_HEADERS, "x-should-retry": "false"}, fault.body())


def _replay_reply(reply: Reply, *, streams: bool) -> Reply:
    """Return a retrieved response, as events where the request wants a stream."""
    reply = reply.with_headers(REPLAYED_HEADER)
    if not (streams and isinstance(reply.body, bytes)):
        return reply
    try:
        response = read_object(reply.body)
        if status_of(response) not in FINAL:
            raise key_in_flight()
        events = tuple(replay_events(response))
    except (UpstreamFailed, TypeError, ValueError, LookupError, AttributeError):
        return reply  # it is not what the API documents: better as it is than not at all
    return replace(
        reply, headers={**reply.headers, "content-type": EVENT_STREAM}, body=FiniteBody(events)
    )
