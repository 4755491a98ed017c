"""What must be refused, and in whose words; none of it reaches a provider."""

import secrets
from http import HTTPStatus

from infra.doctor import advice
from infra.doctor.answer import Answer
from infra.doctor.finding import Finding, fails, ok
from infra.doctor.session import Session, padded, unknown_id

OVER_OUR_LIMIT = 6_000_100  # bytes: no gateway may allow more than 6,000,000
OVER_AWS_LIMIT = 6_500_000
JSON = {"content-type": "application/json"}  # anything else AWS would make longer, as base64
UPGRADE = {
    "connection": "Upgrade",
    "upgrade": "websocket",
    "sec-websocket-version": "13",
    "sec-websocket-key": "YW50aXBob24gZG9jdG9yIQ==",
}


def no_key(session: Session) -> Finding:
    answer = session.ask("GET", "/models", key="")
    return _refused(answer, HTTPStatus.UNAUTHORIZED, "invalid_api_key")


def wrong_key(session: Session) -> Finding:
    answer = session.ask("GET", "/models", key=f"sk-doctor-{secrets.token_hex(16)}")
    return _refused(answer, HTTPStatus.UNAUTHORIZED, "invalid_api_key")


def unknown_model(session: Session) -> Finding:
    ask = {"model": "doctor-has-no-such-model", "input": "x"}
    answer = session.ask("POST", "/responses", json=ask)
    if answer.status == HTTPStatus.BAD_REQUEST and answer.error.get("code") == "model_not_found":
        return ok(f"{answer.said} (the provider's words: a pattern in gateway.toml takes any name)")
    return _refused(answer, HTTPStatus.NOT_FOUND, "model_not_found")


def bad_body(session: Session) -> Finding:
    answer = session.ask("POST", "/responses", content=b'{"model": ', headers=JSON)
    return _refused(answer, HTTPStatus.BAD_REQUEST, "invalid_json")


def unknown_response(session: Session) -> Finding:
    answer = session.ask("GET", f"/responses/{unknown_id()}")
    return _refused(answer, HTTPStatus.NOT_FOUND, None)


def unknown_parent(session: Session) -> Finding:
    ask = {"model": session.model, "input": "x", "previous_response_id": unknown_id()}
    answer = session.ask("POST", "/responses", json=ask)
    return _refused(answer, HTTPStatus.BAD_REQUEST, "previous_response_not_found")


def large_body(session: Session) -> Finding:
    answer = session.ask("POST", "/responses", content=padded(OVER_OUR_LIMIT), headers=JSON)
    found = _refused(answer, HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "request_too_large")
    if found.verdict == "ok" and "limit" not in str(answer.error["message"]):
        return fails(answer.said, "The refusal should name the limit.")
    return found


def huge_body(session: Session) -> Finding:
    answer = session.ask("POST", "/responses", content=padded(OVER_AWS_LIMIT), headers=JSON)
    session.heads.pop()  # AWS answers this one, before the gateway hears of it
    if answer.status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
        whose = "" if answer.enveloped else " (AWS's own words, which an SDK shows as they are)"
        return ok(f"{answer.said}{whose}")
    return fails(answer.said, advice.of(answer) or "A body over 6 MB should be refused with 413.")


def websocket(session: Session) -> Finding:
    answer = session.ask("GET", "/responses", headers=UPGRADE)
    return _refused(answer, HTTPStatus.UPGRADE_REQUIRED, "websocket_not_supported")


def _refused(answer: Answer, status: HTTPStatus, code: str | None) -> Finding:
    if answer.status != status:
        wanted = f"It should be {status.value}{f' {code}' if code else ''}."
        return fails(answer.said, advice.of(answer) or wanted)
    if not answer.enveloped:
        return fails(answer.said, "It should come in OpenAI's envelope: is it the gateway's own?")
    if answer.error["code"] != code:
        return fails(answer.said, f"Its code should be {code}.")
    return ok(answer.said)
