"""Checks of the connection, of the open endpoints, and of the headers of all responses."""

import time
from typing import Any

from infra.doctor.findings import Finding, advise_on_response, fails, ok
from infra.doctor.session import Session

HEALTHY = {"status": "ok"}
OTHER_SERVER = "Another server answers at this address, or something between you and the gateway."
PRIVATE_HEADERS = ("openai-organization", "openai-project", "set-cookie")
REQUEST_ID = "x-antiphon-request-id"
RENAMED_PREFIX = "x-amzn-remapped-"  # API Gateway adds it to headers that it sets itself
HARMLESS_RENAMES = {"date", "server", "content-length", "connection"}


def check_reach(session: Session) -> Finding:
    sent = time.perf_counter()
    with session.client.stream("GET", "/health") as response:
        ms = (time.perf_counter() - sent) * 1000
        connection = response.extensions["network_stream"]
        security = _describe_tls(connection.get_extra_info("ssl_object"))
        response.read()
    return ok(f"{security}; first response after {ms:.0f} ms (may include a cold start)")


def check_health(session: Session) -> Finding:
    response = session.send("GET", "/health", key="")
    if response.is_ok and response.json == HEALTHY:
        return ok(f"200 within {response.seconds * 1000:.0f} ms")
    return fails(response.summary, advise_on_response(response) or OTHER_SERVER)


def check_reference(session: Session) -> Finding:
    response = session.send("GET", "/openapi.json", key="")
    paths = response.json.get("paths")
    if response.is_ok and isinstance(paths, dict):
        return ok(f"/openapi.json describes {len(paths)} paths; /docs is a page to try them")
    return fails(response.summary, advise_on_response(response))


def check_private_headers(session: Session) -> Finding:
    found = {
        f"{name} at {request}"
        for request, headers in session.heads
        for name in PRIVATE_HEADERS
        if name in headers
    }
    if found:
        advice = "Does something between you and the gateway add them?"
        return fails("; ".join(sorted(found)), advice)
    return ok(f"none in {len(session.heads)} responses")


def check_request_ids(session: Session) -> Finding:
    missing = [request for request, headers in session.heads if REQUEST_ID not in headers]
    if missing:
        advice = "Does a proxy remove headers? AWS's own errors have none at a Function URL."
        return fails(f"{REQUEST_ID} is missing at {', '.join(dict.fromkeys(missing))}", advice)
    return ok(f"{REQUEST_ID} in all of {len(session.heads)} responses")


def check_header_names(session: Session) -> Finding:
    names = {name for _, headers in session.heads for name in headers}
    renamed = {
        name.removeprefix(RENAMED_PREFIX) for name in names if name.startswith(RENAMED_PREFIX)
    }
    if renamed - HARMLESS_RENAMES:
        listed = ", ".join(sorted(renamed - HARMLESS_RENAMES))
        return fails(f"API Gateway renames {listed}", "SDKs do not find them.")
    return ok("none of the gateway's headers is renamed")


def _describe_tls(tls: Any) -> str:
    if tls is None:
        return "plain HTTP, on this machine"
    expiry = dict(tls.getpeercert() or {}).get("notAfter", "an unknown date")
    return f"{tls.version()}, a certificate until {expiry}"
