"""One key, one response: a create that comes again with its Idempotency-Key is not sent again.

Of all requests with one key one is sent; the others get what it came to. Which outcomes free a key
is told in docs/decisions/0007-one-key-one-response.md.
"""

from dataclasses import dataclass, replace
from urllib.parse import urlencode

from antiphon.auth import Caller
from antiphon.errors import IdempotencyKeyReused, InvalidRequest, NotFound
from antiphon.http import Reply, Request
from antiphon.idempotency.answers import failure, in_flight, not_stored, replayed
from antiphon.idempotency.hold import OK, Hold
from antiphon.idempotency.keys import NAME, fingerprint, key_of
from antiphon.ledger import Ledger
from antiphon.ownership import Ownership
from antiphon.relay import Answer, Call, Relay
from antiphon.routing import Router
from antiphon.schema import CreateResponse
from antiphon.store.idempotency import Claim, Claims
from antiphon.store.links import Link

__all__ = ["Hold", "Idempotency"]

UNKNOWN = 404


@dataclass(frozen=True)
class Idempotency:
    claims: Claims
    ownership: Ownership
    routing: Router
    relay: Relay
    ledger: Ledger

    def hold(self, request: Request, caller: Caller) -> Hold:
        """Take the request's key for it; without a key this costs nothing.

        Raise InvalidRequest for what is no key, IdempotencyKeyReused where it stands for another
        request, Unavailable where nobody knows whether it is free.
        """
        key = key_of(request)
        if key is None:
            return Hold(self.claims, None)
        asked = fingerprint(request)
        claim = self.claims.take(caller.tenant, key, asked, request)
        if claim.request_id == request.id:
            return Hold(self.claims, claim)
        if claim.fingerprint != asked:
            message = f"This {NAME} stands for another request. Use a new one for this request."
            raise IdempotencyKeyReused(message, param=NAME)
        return Hold(self.claims, None, earlier=claim)

    def replay(self, first: Claim, request: Request, ask: CreateResponse) -> Reply:
        """Give what the first request with the key came to.

        Raise IdempotencyKeyInFlight while it is under way, OutcomeNotStored where its response is
        not kept.
        """
        if first.status is not None:
            return failure(first, first.status)
        if first.response_id is None:
            raise in_flight(self._left(first))
        link = self._link(first, first.response_id)
        if self._left(first) > 0 and not _is_over(link):
            raise in_flight(self._left(first))
        answer = self._retrieve(link, request, ask)
        reply = self.ledger.follow(answer, link)
        if reply.status not in OK:
            return reply
        return replayed(reply, streams=bool(ask.stream)).with_headers(**ask.rewrites)

    def _left(self, first: Claim) -> float:
        """Seconds until the first request has ended, well or not."""
        return first.deadline - self.claims.clock()

    def _link(self, first: Claim, id: str) -> Link:
        try:
            link = self.ownership.holder("response", first.tenant, id)
        except NotFound as exc:
            raise self._missing(first, id) from exc
        if not link.store:
            raise not_stored(f"'{id}' was made with 'store' set to false")
        return link

    def _missing(self, first: Claim, id: str) -> InvalidRequest:
        """What it means that nobody owns a response: not yet, for its link is late, or no more."""
        link = self.ownership.links.find("response", first.tenant, id)
        gone = link is not None and not link.alive
        if self._left(first) > 0 and not gone:
            return in_flight(self._left(first))
        return not_stored("it was deleted, or has expired")

    def _retrieve(self, link: Link, request: Request, ask: CreateResponse) -> Answer:
        """The response as its provider has it; in the background, also the stream as it was."""
        streams = bool(ask.stream) and link.background
        query = [("include[]", name) for name in ask.include or ()]
        query += [("stream", "true")] if streams else []
        given = "&".join(filter(None, (request.query, urlencode(query))))
        asked = replace(request, method="GET", query=given, body=b"")
        call = Call(f"/responses/{link.id}", streams=streams)
        answer = self.relay.send(self.routing.at(link), asked, call)
        if answer.status == UNKNOWN:
            raise self._lacking(link)
        return answer

    def _lacking(self, link: Link) -> InvalidRequest:
        """What it means that the provider does not know a response: not yet, or not any more."""
        if link.pending or (link.completed_at and link.is_new(self.claims.clock())):
            return in_flight()
        return not_stored(f"its provider does not know '{link.id}' any more")


def _is_over(link: Link) -> bool:
    """Whether the request that made it has been answered to its end."""
    return link.final or link.background or link.unfinished is not None
