"""Requests with an Idempotency-Key, and the recorded outcome of the first of them."""

from antiphon.auth import Caller
from antiphon.http import Request
from tests.support.dynamodb import make_link

ACME = Caller("acme", "key_1")
CREATED = make_link(id="resp_1")
FREE, IN_FLIGHT = "free", "in flight"


def make_request(id="req_1", key="key", body=b"{}", query="", **headers):
    headers = {name.replace("_", "-"): value for name, value in headers.items()}
    return Request(id, "POST", query, {"idempotency-key": key, **headers}, body)


def read_outcome(idempotency):
    """Return what another request with the same key gets of the first."""
    earlier = idempotency.guard(make_request("req_2"), ACME).earlier
    if earlier is None:
        return FREE
    outcome = {name: getattr(earlier, name) for name in ("response_id", "status", "code")}
    return {name: value for name, value in outcome.items() if value is not None} or IN_FLIGHT
