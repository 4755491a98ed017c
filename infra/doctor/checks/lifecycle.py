"""Checks of a response's life: create, retrieve, continue, list, other tenants, delete."""

from http import HTTPStatus
from typing import Any

from infra.doctor.findings import Finding, advise_on_response, fails, ok, refused, skipped
from infra.doctor.responses import ApiResponse
from infra.doctor.session import FOLLOW_UP, Session

ENDED = {"completed", "incomplete"}
EXPECTED_HEADERS = ("x-antiphon-request-id", "x-antiphon-target", "x-request-id")
NO_LINK = (
    "The gateway returned the id but does not find it: read the log groups of the api and settle "
    "functions, and check the QueueAge alarm."
)


def check_models(session: Session) -> Finding:
    response = session.models
    if not response.is_ok:
        return fails(response.summary, advise_on_response(response))
    if session.plan.model is None and not session.model_ids:
        return fails(
            "200, and an empty list",
            "Does gateway.toml name models? Patterns such as gpt-* are matched with the provider's "
            "list: is its key in the target's secret?",
        )
    return ok(f"{len(session.model_ids)} models; the checks use {session.model}")


def check_create(session: Session) -> Finding:
    response = session.first
    if not response.is_ok:
        return fails(response.summary, advise_on_response(response))
    missing = [name for name in EXPECTED_HEADERS if name not in response.headers]
    if missing:
        return fails(f"200 without {', '.join(missing)}", "Does a proxy remove headers?")
    status = response.json.get("status")
    if status not in ENDED or not response.json.get("id"):
        return fails(f"200, status {status}, id {response.json.get('id')}")
    target = response.headers["x-antiphon-target"]
    request = response.headers["x-antiphon-request-id"]
    return ok(f"{status} by {target} in {response.seconds:.1f} s (request {request})")


def check_retrieve(session: Session) -> Finding:
    response = session.send("GET", _path(session))
    if response.is_ok and response.json.get("id") == session.first.json["id"]:
        return ok(f"the same id, {response.json.get('status')}")
    is_missing = response.status == HTTPStatus.NOT_FOUND
    return fails(response.summary, NO_LINK) if is_missing else refused(response)


def check_input_items(session: Session) -> Finding:
    response = session.send("GET", f"{_path(session)}/input_items")
    data = response.json.get("data")
    if response.is_ok and data:
        return ok(f"{len(data)} items")
    return refused(response)


def check_continue(session: Session) -> Finding:
    parent = session.first.json["id"]
    response = session.create(input=FOLLOW_UP, previous_response_id=parent)
    if not response.is_ok:
        return fails(response.summary, advise_on_response(response))
    if response.json.get("previous_response_id") != parent:
        return fails(f"its parent is {response.json.get('previous_response_id')}")
    return ok(f"by {response.headers.get('x-antiphon-target')}, the target of its parent")


def check_list(session: Session) -> Finding:
    id = str(session.first.json["id"])
    link, waited = wait_for_link(session, id)
    if link is None:
        return fails(f"not within {waited:g} s", NO_LINK)
    return ok(f"{link['status']}, with {total_tokens(link)} tokens in its usage")


def check_other_tenant(session: Session) -> Finding:
    other = session.plan.other_key
    if other is None:
        return skipped("no second key", "Give a key of another tenant with --other-key.")
    parent = session.first.json["id"]
    body = {"model": session.model, "input": "x", "previous_response_id": parent}
    responses = {
        "retrieve": session.send("GET", _path(session), key=other),
        "follow-up": session.send("POST", "/responses", key=other, json=body),
        "delete": session.send("DELETE", _path(session), key=other),
    }
    refused = {HTTPStatus.NOT_FOUND, HTTPStatus.BAD_REQUEST}
    wrong = [
        f"{name}: {got.summary}" for name, got in responses.items() if got.status not in refused
    ]
    if wrong:
        advice = "Do both keys belong to one tenant? See `antiphon keys list`."
        return fails("; ".join(wrong), advice)
    return ok(", ".join(f"{name} {got.status}" for name, got in responses.items()))


def check_delete(session: Session) -> Finding:
    path = _path(session)
    response = session.send("DELETE", path)
    if not response.is_ok:
        return refused(response)
    session.created.remove(path)
    after = session.send("GET", path)
    if after.status != HTTPStatus.NOT_FOUND:
        return fails(f"deleted, and then {after.summary}")
    return ok("deleted, and then 404")


def wait_for_link(session: Session, id: str) -> tuple[dict[str, Any] | None, float]:
    """Wait until the list shows the response as ended; return its link (or None) and the time.

    Lists are up to a second late, because they read an index.
    """

    def read() -> dict[str, Any] | None:
        link = _find_link(session.send("GET", "/responses", params={"limit": 100}), id)
        is_ended = link is not None and link.get("status") not in {"queued", "in_progress"}
        return link if is_ended else None

    return session.wait_for(read)


def total_tokens(link: dict[str, Any]) -> object:
    usage = link.get("usage")
    return usage.get("total_tokens", "no") if isinstance(usage, dict) else "no"


def _find_link(response: ApiResponse, id: str) -> dict[str, Any] | None:
    data = response.json.get("data")
    links = data if isinstance(data, list) else []
    return next((link for link in links if isinstance(link, dict) and link.get("id") == id), None)


def _path(session: Session) -> str:
    return f"/responses/{session.first.json['id']}"
