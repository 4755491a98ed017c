"""A response's life: created, kept, continued, listed, whose it is, and deleted."""

from http import HTTPStatus
from typing import Any

from infra.doctor import advice
from infra.doctor.answer import Answer
from infra.doctor.finding import Finding, fails, ok, skipped
from infra.doctor.session import FOLLOW_UP, Session

ENDED = {"completed", "incomplete"}
OURS = ("x-antiphon-request-id", "x-antiphon-target", "x-request-id")
PAUSE = 0.25  # seconds between two looks at the list
NO_LINK = (
    "The gateway gave the id out and does not know it again: read the log groups of the api and "
    "settle functions, and look at the QueueAge alarm."
)


def models(session: Session) -> Finding:
    answer = session.models
    if not answer.is_ok:
        return fails(answer.said, advice.of(answer))
    if session.plan.model is None and not session.served:
        return fails(
            "200, and an empty list",
            "Does gateway.toml name models? Patterns such as gpt-* are filled from the provider's "
            "list: is its key in the target's secret?",
        )
    return ok(f"{len(session.served)} models; asked is {session.model}")


def created(session: Session) -> Finding:
    answer = session.first
    if not answer.is_ok:
        return fails(answer.said, advice.of(answer))
    missing = [name for name in OURS if name not in answer.headers]
    if missing:
        return fails(f"200 without {', '.join(missing)}", "Does a proxy take headers away?")
    if answer.json.get("status") not in ENDED or not answer.json.get("id"):
        return fails(f"200, status {answer.json.get('status')}, id {answer.json.get('id')}")
    target, request = answer.headers["x-antiphon-target"], answer.headers["x-antiphon-request-id"]
    return ok(f"{answer.json['status']} by {target} in {answer.seconds:.1f} s (request {request})")


def retrieved(session: Session) -> Finding:
    answer = session.ask("GET", _path(session))
    if answer.is_ok and answer.json.get("id") == session.first.json["id"]:
        return ok(f"the same id, {answer.json.get('status')}")
    return fails(answer.said, advice.of(answer) if answer.status != _GONE else NO_LINK)


def input_items(session: Session) -> Finding:
    answer = session.ask("GET", f"{_path(session)}/input_items")
    data = answer.json.get("data")
    if answer.is_ok and data:
        return ok(f"{len(data)} of them")
    return fails(answer.said, advice.of(answer))


def continued(session: Session) -> Finding:
    parent = session.first.json["id"]
    answer = session.create(input=FOLLOW_UP, previous_response_id=parent)
    if not answer.is_ok:
        return fails(answer.said, advice.of(answer))
    if answer.json.get("previous_response_id") != parent:
        return fails(f"its parent is {answer.json.get('previous_response_id')}")
    return ok(f"by {answer.headers.get('x-antiphon-target')}, where its parent lives")


def listed(session: Session) -> Finding:
    id = str(session.first.json["id"])
    link, waited = wait_for(session, id)
    if link is None:
        return fails(f"not within {waited:g} s", NO_LINK)
    return ok(f"{link['status']}, with {tokens(link)} tokens on record")


def foreign(session: Session) -> Finding:
    other = session.plan.other_key
    if other is None:
        return skipped("no second key", "Give a key of another tenant with --other-key.")
    parent = {
        "model": session.model,
        "input": "x",
        "previous_response_id": session.first.json["id"],
    }
    found = {
        "retrieve": session.ask("GET", _path(session), key=other),
        "follow-up": session.ask("POST", "/responses", key=other, json=parent),
        "delete": session.ask("DELETE", _path(session), key=other),
    }
    refused = {_GONE: "404", HTTPStatus.BAD_REQUEST: "400"}
    wrong = [f"{what}: {got.said}" for what, got in found.items() if got.status not in refused]
    if wrong:
        return fails("; ".join(wrong), "Are both keys of one tenant? See `antiphon keys list`.")
    return ok(", ".join(f"{what} {got.status}" for what, got in found.items()))


def deleted(session: Session) -> Finding:
    path, id = _path(session), str(session.first.json["id"])
    answer = session.ask("DELETE", path)
    if not answer.is_ok:
        return fails(answer.said, advice.of(answer))
    session.made.remove(id)
    after = session.ask("GET", path)
    if after.status != _GONE:
        return fails(f"deleted, and then {after.said}")
    return ok("deleted, and then 404")


def wait_for(session: Session, id: str) -> tuple[dict[str, Any] | None, float]:
    """The link of a response once it has ended, None where it has not in time; and the wait.

    Lists lag a second behind: they read an index.
    """
    waited = 0.0
    while True:
        link = _link(session.ask("GET", "/responses", params={"limit": 100}), id)
        if link is not None and link.get("status") not in {"queued", "in_progress"}:
            return link, waited
        if waited >= session.plan.patience:
            return None, waited
        session.pause(PAUSE)
        waited += PAUSE


def tokens(link: dict[str, Any]) -> object:
    usage = link.get("usage")
    return usage.get("total_tokens", "no") if isinstance(usage, dict) else "no"


def _link(answer: Answer, id: str) -> dict[str, Any] | None:
    data = answer.json.get("data")
    links = data if isinstance(data, list) else []
    return next((link for link in links if isinstance(link, dict) and link.get("id") == id), None)


def _path(session: Session) -> str:
    return f"/responses/{session.first.json['id']}"


_GONE = HTTPStatus.NOT_FOUND
