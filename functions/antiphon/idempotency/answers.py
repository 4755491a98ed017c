"""What a request is answered whose key is taken."""

from dataclasses import replace

from antiphon.errors import GatewayError, IdempotencyKeyInFlight, OutcomeNotStored
from antiphon.http import Reply
from antiphon.idempotency.keys import NAME
from antiphon.idempotency.replay import events
from antiphon.ledger.reading import read
from antiphon.store.idempotency import Claim
from antiphon.store.links import FINAL

PAUSE = 5  # seconds until it is worth asking again
REPLAYED = {"x-antiphon-replayed": "true"}
EVENTS = "text/event-stream; charset=utf-8"


def in_flight(seconds_left: float = PAUSE) -> IdempotencyKeyInFlight:
    return IdempotencyKeyInFlight(
        f"The first request with this {NAME} is still under way. Try again when it has ended.",
        param=NAME,
        headers={"retry-after": str(max(1, min(PAUSE, int(seconds_left))))},
    )


def not_stored(why: str) -> OutcomeNotStored:
    message = f"What the first request with this {NAME} was answered is not stored: {why}."
    return OutcomeNotStored(f"{message} Use a new key to ask anew.", param=NAME)


def failure(first: Claim, status: int) -> Reply:
    """The first request's own failure; its words are not kept, so these are ours."""
    fault = GatewayError(
        f"The first request with this {NAME} ended in this failure. It may have been processed "
        "all the same, so it is not sent again. Use a new key to ask anew.",
        code=first.code,
    )
    headers = {"content-type": "application/json", "cache-control": "no-store", **REPLAYED}
    return Reply(status, {**headers, "x-should-retry": "false"}, fault.body())


def replayed(reply: Reply, *, streams: bool) -> Reply:
    """A retrieved response, as events where those were asked for."""
    reply = replace(reply, headers={**reply.headers, **REPLAYED})
    if not (streams and isinstance(reply.body, bytes)):
        return reply
    response = read(reply.body)
    if response.get("status", "completed") not in FINAL:
        raise in_flight()
    return replace(reply, headers={**reply.headers, "content-type": EVENTS}, body=events(response))
