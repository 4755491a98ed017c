"""Requests with a key, and what is known of the first of them."""

from antiphon.auth import Caller
from antiphon.http import Request
from tests.support.dynamodb import make_link

ACME = Caller("acme", "key_1")
MADE = make_link(id="resp_1")
FREE, IN_FLIGHT = "free", "in flight"


def request(id="req_1", key="key", body=b"{}", query="", **headers):
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Request(id, "POST", query, {"idempotency-key": key, **named}, body)


def outcome(idempotency):
    """What another request with the same key is told of the first."""
    earlier = idempotency.hold(request("req_2"), ACME).earlier
    if earlier is None:
        return FREE
    known = {name: getattr(earlier, name) for name in ("response_id", "status", "code")}
    return {name: value for name, value in known.items() if value is not None} or IN_FLIGHT
