"""Whether anybody answers, by TLS, and is well."""

import time
from typing import Any

from infra.doctor import advice
from infra.doctor.finding import Finding, fails, ok
from infra.doctor.session import Session

HEALTHY = {"status": "ok"}
BETWEEN = "Somebody else answers at this address, or something between you and it."


def reached(session: Session) -> Finding:
    sent = time.perf_counter()
    with session.client.stream("GET", "/health") as response:
        ms = (time.perf_counter() - sent) * 1000
        connection = response.extensions["network_stream"]
        secured = _told(connection.get_extra_info("ssl_object"))
        response.read()
    return ok(f"{secured}; first answer after {ms:.0f} ms (a cold start is in it, if it was one)")


def healthy(session: Session) -> Finding:
    answer = session.ask("GET", "/health", key="")
    if answer.is_ok and answer.json == HEALTHY:
        return ok(f"200 within {answer.seconds * 1000:.0f} ms")
    return fails(answer.said, advice.of(answer) or BETWEEN)


def reference(session: Session) -> Finding:
    answer = session.ask("GET", "/openapi.json", key="")
    paths = answer.json.get("paths")
    if answer.is_ok and isinstance(paths, dict):
        return ok(f"/openapi.json tells of {len(paths)} paths; the page to try them is at /docs")
    return fails(answer.said, advice.of(answer))


def _told(tls: Any) -> str:
    if tls is None:
        return "plain HTTP, on this machine"
    ends = dict(tls.getpeercert() or {}).get("notAfter", "an unknown date")
    return f"{tls.version()}, a certificate until {ends}"
