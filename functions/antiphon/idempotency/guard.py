"""What is read of a request: its Idempotency-Key, and a fingerprint of all that decides its answer.

https://datatracker.ietf.org/doc/draft-ietf-httpapi-idempotency-key-header


What a request is answered whose key is taken.

What one request holds of its Idempotency-Key, from before it is sent to its outcome.

One key, one response: a create that comes again with its Idempotency-Key is not sent again.

Of all requests with one key one is sent; the others get what it came to. Which outcomes free a key
is told in docs/decisions/0007-one-key-one-response.md.
"""

import hashlib
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
    LinkNotWritten,
    NotFound,
    OutcomeNotStored,
    Unavailable,
    UpstreamFailed,
    UpstreamNotReached,
    UpstreamRefusedUs,
)
from antiphon.http import OnCloseBody, Reply, Request
from antiphon.idempotency.replay import replay_events
from antiphon.observability import logger
from antiphon.ownership import Ownership
from antiphon.recording.reading import read_object
from antiphon.recording.recorder import ResponseRecorder
from antiphon.routing import Routing
from antiphon.schema.create import CreateResponse
from antiphon.store.idempotency import IdempotencyRecord, IdempotencyRecords
from antiphon.store.links import FINAL, Link
from antiphon.upstream.client import UpstreamClient
from antiphon.upstream.outcome import UpstreamRequest, UpstreamResponse

HEADER = "Idempotency-Key"
KEY_PATTERN = re.compile(r"[!-~]{1,255}")
FINGERPRINT_HEADERS = (
    "openai-beta",
    "x-ms-oai-image-generation-deployment",
)  # headers that change an answer


def read_key(request: Request) -> str | None:
    """Raise InvalidRequest for what is no key."""
    key = request.headers.get(HEADER.lower())
    if key is not None and not KEY_PATTERN.fullmatch(key):
        message = f"Invalid '{HEADER}': expected 1 to 255 visible ASCII characters."
        raise InvalidRequest(message, param=HEADER, code="invalid_value")
    return key


def fingerprint(request: Request) -> str:
    """Bytes are compared, for two readings of one body may differ: see schema.document."""
    deciding = [request.headers.get(name, "") for name in FINGERPRINT_HEADERS]
    digest = hashlib.sha256()
    for part in (request.method, request.query, *deciding):
        digest.update(hashlib.sha256(part.encode()).digest())  # of one length: no two run together
    digest.update(request.body)
    return digest.hexdigest()


RETRY_SECONDS = 5  # seconds until it is worth asking again
REPLAYED_HEADER = {"x-antiphon-replayed": "true"}
EVENT_STREAM = "text/event-stream; charset=utf-8"


def key_in_flight(seconds_left: float = RETRY_SECONDS) -> IdempotencyKeyInFlight:
    return IdempotencyKeyInFlight(
        f"The first request with this {HEADER} is still under way. Try again when it has ended.",
        param=HEADER,
        headers={"retry-after": str(max(1, min(RETRY_SECONDS, int(seconds_left))))},
    )


def outcome_not_stored(why: str) -> OutcomeNotStored:
    message = f"What the first request with this {HEADER} was answered is not stored: {why}."
    return OutcomeNotStored(f"{message} Use a new key to ask anew.", param=HEADER)


def failure_reply(first: IdempotencyRecord, status: int) -> Reply:
    """The first request's own failure; its words are not kept, so these are ours."""
    fault = GatewayError(
        f"The first request with this {HEADER} ended in this failure. It may have been processed "
        "all the same, so it is not sent again. Use a new key to ask anew.",
        code=first.code,
    )
    headers = {"content-type": "application/json", "cache-control": "no-store", **REPLAYED_HEADER}
    return Reply(status, {**headers, "x-should-retry": "false"}, fault.body())


def replay_reply(reply: Reply, *, streams: bool) -> Reply:
    """A retrieved response, as events where those were asked for."""
    reply = replace(reply, headers={**reply.headers, **REPLAYED_HEADER})
    if not (streams and isinstance(reply.body, bytes)):
        return reply
    response = read_object(reply.body)
    if response.get("status", "completed") not in FINAL:
        raise key_in_flight()
    return replace(
        reply, headers={**reply.headers, "content-type": EVENT_STREAM}, body=replay_events(response)
    )


SUCCESS = range(200, 300)
SERVER_ERROR = 500
OVERLOADED = {503, 529}  # with which a provider says that it began nothing
STARTED = (UpstreamFailed, LinkNotWritten)
NOT_STARTED = (UpstreamNotReached, UpstreamRefusedUs)


class IdempotencyGuard:
    """Without a claim of its own it does nothing; `earlier` is another request's on the same key.

    What certainly began nothing frees the key. For what may have begun a response the key stands
    from then on. Both are notes: where the table does not take one, the deadline frees the key.
    """

    def __init__(
        self,
        claims: IdempotencyRecords,
        claim: IdempotencyRecord | None,
        earlier: IdempotencyRecord | None = None,
    ) -> None:
        self.earlier = earlier
        self._claims = claims
        self._claim = claim
        self._id: str | None = None
        self._noted = claim is None

    def keep(self, link: Link) -> None:
        """Note a response's id before anybody gets it: a crash from here on loses nothing."""
        self._id = link.id
        self._note(lambda claim: self._claims.keep(claim, link.id))

    def settle(self, reply: Reply) -> Reply:
        """Note what became of the request; a stream that has named no response is waited for."""
        if reply.status not in SUCCESS:
            self._refused(reply.status)
        elif isinstance(reply.body, bytes):
            self._end()
        elif not self._noted:
            return replace(reply, body=OnCloseBody(reply.body, self._end))
        return reply

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if isinstance(exc, GatewayError):
            self._raised(exc)
        elif isinstance(exc, Exception):
            self._fail(SERVER_ERROR, GatewayError.code)

    def _raised(self, fault: GatewayError) -> None:
        if isinstance(fault, STARTED) and not isinstance(fault, NOT_STARTED):
            self._fail(fault.status, fault.code)
        else:
            self._note(self._claims.free)

    def _refused(self, status: int) -> None:
        if status >= SERVER_ERROR and status not in OVERLOADED:
            self._fail(status, UpstreamFailed.code)
        else:
            self._note(self._claims.free)

    def _end(self) -> None:
        """All has been said: what is not noted by now is noted as it is."""
        if self._noted:
            return
        id = self._id
        if id is None:
            self._fail(UpstreamFailed.status, UpstreamFailed.code)
        else:
            self._note(lambda claim: self._claims.keep(claim, id))

    def _fail(self, status: int, code: str | None) -> None:
        self._note(lambda claim: self._claims.fail(claim, status, code))

    def _note(self, note: Callable[[IdempotencyRecord], None]) -> None:
        """The caller's answer is worth more than the note, so a failure is only logged."""
        if self._claim is None:
            return
        try:
            note(self._claim)
            self._noted = True
        except Unavailable:
            logger.exception("idempotency key not noted", extra={"link": self._id})


NOT_FOUND = 404


@dataclass(frozen=True)
class Idempotency:
    claims: IdempotencyRecords
    ownership: Ownership
    routing: Routing
    relay: UpstreamClient
    ledger: ResponseRecorder

    def hold(self, request: Request, caller: Caller) -> IdempotencyGuard:
        """Take the request's key for it; without a key this costs nothing.

        Raise InvalidRequest for what is no key, IdempotencyKeyReused where it stands for another
        request, Unavailable where nobody knows whether it is free.
        """
        key = read_key(request)
        if key is None:
            return IdempotencyGuard(self.claims, None)
        asked = fingerprint(request)
        claim = self.claims.take(caller.tenant, key, asked, request)
        if claim.request_id == request.id:
            return IdempotencyGuard(self.claims, claim)
        if claim.fingerprint != asked:
            message = f"This {HEADER} stands for another request. Use a new one for this request."
            raise IdempotencyKeyReused(message, param=HEADER)
        return IdempotencyGuard(self.claims, None, earlier=claim)

    def replay(self, first: IdempotencyRecord, request: Request, ask: CreateResponse) -> Reply:
        """Give what the first request with the key came to.

        Raise IdempotencyKeyInFlight while it is under way, OutcomeNotStored where its response is
        not kept.
        """
        if first.status is not None:
            return failure_reply(first, first.status)
        if first.response_id is None:
            raise key_in_flight(self._left(first))
        link = self._link(first, first.response_id)
        if self._left(first) > 0 and not _is_over(link):
            raise key_in_flight(self._left(first))
        answer = self._retrieve(link, request, ask)
        reply = self.ledger.follow(answer, link)
        if reply.status not in SUCCESS:
            return reply
        return replay_reply(reply, streams=bool(ask.stream)).with_headers(**ask.rewrites)

    def _left(self, first: IdempotencyRecord) -> float:
        """Seconds until the first request has ended, well or not."""
        return first.deadline - self.claims.clock()

    def _link(self, first: IdempotencyRecord, id: str) -> Link:
        try:
            link = self.ownership.holder("response", first.tenant, id)
        except NotFound as exc:
            raise self._missing(first, id) from exc
        if not link.store:
            raise outcome_not_stored(f"'{id}' was made with 'store' set to false")
        return link

    def _missing(self, first: IdempotencyRecord, id: str) -> InvalidRequest:
        """What it means that nobody owns a response: not yet, for its link is late, or no more."""
        link = self.ownership.links.find("response", first.tenant, id)
        gone = link is not None and not link.alive
        if self._left(first) > 0 and not gone:
            return key_in_flight(self._left(first))
        return outcome_not_stored("it was deleted, or has expired")

    def _retrieve(self, link: Link, request: Request, ask: CreateResponse) -> UpstreamResponse:
        """The response as its provider has it; in the background, also the stream as it was."""
        streams = bool(ask.stream) and link.background
        query = [("include[]", name) for name in ask.include or ()]
        query += [("stream", "true")] if streams else []
        given = "&".join(filter(None, (request.query, urlencode(query))))
        asked = replace(request, method="GET", query=given, body=b"")
        call = UpstreamRequest(f"/responses/{link.id}", streams=streams)
        answer = self.relay.send(self.routing.at(link), asked, call)
        if answer.status == NOT_FOUND:
            raise self._lacking(link)
        return answer

    def _lacking(self, link: Link) -> InvalidRequest:
        """What it means that the provider does not know a response: not yet, or not any more."""
        if link.pending or (link.completed_at and link.is_new(self.claims.clock())):
            return key_in_flight()
        return outcome_not_stored(f"its provider does not know '{link.id}' any more")


def _is_over(link: Link) -> bool:
    """Whether the request that made it has been answered to its end."""
    return link.final or link.background or link.unfinished is not None
