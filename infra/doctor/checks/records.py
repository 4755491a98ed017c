"""Checks of what the functions settle and rollup record: usage, the metadata index, ends."""

import time

import httpx

from infra.doctor.checks.lifecycle import ENDED, total_tokens, wait_for_link
from infra.doctor.findings import Finding, advise_on_response, fails, ok, refused, skipped
from infra.doctor.responses import ApiResponse
from infra.doctor.session import FOLLOW_UP, MARK, Session

NOT_ROLLED_UP = (
    "The function rollup reads the table's stream: search its log group for 'change failed', and "
    "run `antiphon doctor --stage NAME`, which checks its event source."
)
NOT_SETTLED = (
    "The function settle polls it by messages of the queue: read its log group, and run `antiphon "
    "doctor --stage NAME`, which checks its event source and its recursive loop detection."
)
IDLE = (
    "Something ended a connection on which nothing was sent: API Gateway does after 5 minutes, and "
    "a proxy, a load balancer or a NAT gateway earlier. Raise its idle timeout, use the Function "
    "URL, or have long responses streamed or created with background=true."
)
INTERRUPTED = {502, 503, 504}  # statuses of proxies, and of API Gateway, after an idle connection


def check_usage(session: Session) -> Finding:
    """Check that the sums of the usage report include the first response of this run."""
    before = session.usage_before
    if not before.is_ok:
        return fails(before.summary, advise_on_response(before))
    count = count_requests(before)
    after, waited = session.wait_for(lambda: _read_more_than(session, count))
    if after is None:
        return fails(f"{count} requests, and still after {waited:g} s", NOT_ROLLED_UP)
    return ok(f"{count} requests before this run, {after} now")


def check_metadata(session: Session) -> Finding:
    id, query = session.first.json["id"], {f"metadata[{MARK}]": session.mark}
    found, waited = session.wait_for(lambda: _find_ids(session, query))
    if found is None:
        return fails(f"not found within {waited:g} s", NOT_ROLLED_UP)
    if found != [id]:
        return fails(f"found {', '.join(map(str, found))} instead of {id}")
    return ok(f"by metadata[{MARK}], after {waited:g} s")


def check_background(session: Session) -> Finding:
    """Check that a background response gets its end without anybody asking the provider for it."""
    response = session.create(input=FOLLOW_UP, background=True, store=True)
    if not response.is_ok:
        return refused(response)
    began = time.perf_counter()
    link, waited = wait_for_link(session, str(response.json.get("id")))
    if link is None:
        return fails(f"no end within {waited:g} s", NOT_SETTLED)
    seen = f"{link['status']} {time.perf_counter() - began:.1f} s later"
    if link["status"] not in ENDED:
        return fails(seen, NOT_SETTLED)
    return ok(f"{seen}, with {total_tokens(link)} tokens in its usage")


def check_long_json(session: Session) -> Finding:
    began = time.perf_counter()
    try:
        response = session.create_long()
    except httpx.TransportError as exc:
        seconds = time.perf_counter() - began
        return fails(f"cut after {seconds:.0f} s: {str(exc) or type(exc).__name__}", IDLE)
    if not response.is_ok:
        advice = IDLE if response.status in INTERRUPTED else advise_on_response(response)
        return fails(f"{response.summary} (after {response.seconds:.0f} s)", advice)
    if response.seconds < session.plan.long:
        advice = f"Name a slower model with --model, so that it takes {session.plan.long:g} s."
        return skipped(f"it took only {response.seconds:.0f} s", advice)
    return ok(f"{response.json.get('status')} after {response.seconds:.0f} s")


def count_requests(report: ApiResponse) -> int:
    """Return the requests in a usage report; 0 if it has no total."""
    total = report.json.get("total")
    count = total.get("requests") if isinstance(total, dict) else None
    return count if isinstance(count, int) else 0


def _read_more_than(session: Session, count: int) -> int | None:
    now = count_requests(session.read_usage())
    return now if now > count else None


def _find_ids(session: Session, query: dict[str, str]) -> list[object] | None:
    data = session.send("GET", "/responses", params=query).json.get("data")
    links = data if isinstance(data, list) else []
    return [link.get("id") for link in links if isinstance(link, dict)] or None
