"""Checks of requests that the gateway must refuse; none of them reaches a provider."""

import secrets
from http import HTTPStatus

from infra.doctor.findings import Finding, advise_on_response, fails, ok
from infra.doctor.responses import ApiResponse
from infra.doctor.session import Session, build_padded_body, random_response_id

OVER_GATEWAY_LIMIT = 6_000_100  # bytes; the limit cannot be set above 6,000,000
OVER_AWS_LIMIT = 6_500_000
JSON = {"content-type": "application/json"}  # AWS encodes other types as base64, which is longer
UPGRADE = {
    "connection": "Upgrade",
    "upgrade": "websocket",
    "sec-websocket-version": "13",
    "sec-websocket-key": "YW50aXBob24gZG9jdG9yIQ==",
}


def check_no_key(session: Session) -> Finding:
    response = session.send("GET", "/models", key="")
    return _expect_error(response, HTTPStatus.UNAUTHORIZED, "invalid_api_key")


def check_wrong_key(session: Session) -> Finding:
    response = session.send("GET", "/models", key=f"sk-doctor-{secrets.token_hex(16)}")
    return _expect_error(response, HTTPStatus.UNAUTHORIZED, "invalid_api_key")


def check_model(session: Session) -> Finding:
    body = {"model": "doctor-has-no-such-model", "input": "x"}
    response = session.send("POST", "/responses", json=body)
    code = response.error.get("code")
    if response.status == HTTPStatus.BAD_REQUEST and code == "model_not_found":
        return ok(f"{response.summary} (from the provider: a pattern in gateway.toml matches)")
    return _expect_error(response, HTTPStatus.NOT_FOUND, "model_not_found")


def check_bad_body(session: Session) -> Finding:
    response = session.send("POST", "/responses", content=b'{"model": ', headers=JSON)
    return _expect_error(response, HTTPStatus.BAD_REQUEST, "invalid_json")


def check_unknown_id(session: Session) -> Finding:
    response = session.send("GET", f"/responses/{random_response_id()}")
    return _expect_error(response, HTTPStatus.NOT_FOUND, None)


def check_unknown_parent(session: Session) -> Finding:
    parent = random_response_id()
    body = {"model": session.model, "input": "x", "previous_response_id": parent}
    response = session.send("POST", "/responses", json=body)
    return _expect_error(response, HTTPStatus.BAD_REQUEST, "previous_response_not_found")


def check_large_body(session: Session) -> Finding:
    body = build_padded_body(OVER_GATEWAY_LIMIT)
    response = session.send("POST", "/responses", content=body, headers=JSON)
    status = HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    finding = _expect_error(response, status, "request_too_large")
    if finding.verdict == "ok" and "limit" not in str(response.error["message"]):
        return fails(response.summary, "The message should state the limit.")
    return finding


def check_huge_body(session: Session) -> Finding:
    body = build_padded_body(OVER_AWS_LIMIT)
    response = session.send("POST", "/responses", content=body, headers=JSON)
    session.heads.pop()  # AWS itself responds; the request does not reach the gateway
    if response.status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
        source = "" if response.has_envelope else " (AWS's own message; SDKs show it unchanged)"
        return ok(f"{response.summary}{source}")
    advice = advise_on_response(response) or "A body over 6 MB should be refused with 413."
    return fails(response.summary, advice)


def check_websocket(session: Session) -> Finding:
    response = session.send("GET", "/responses", headers=UPGRADE)
    return _expect_error(response, HTTPStatus.UPGRADE_REQUIRED, "websocket_not_supported")


def _expect_error(response: ApiResponse, status: HTTPStatus, code: str | None) -> Finding:
    if response.status != status:
        expected = f"It should be {status.value}{f' {code}' if code else ''}."
        return fails(response.summary, advise_on_response(response) or expected)
    if not response.has_envelope:
        advice = "It should be in OpenAI's envelope: is it the gateway that responds?"
        return fails(response.summary, advice)
    if response.error["code"] != code:
        return fails(response.summary, f"Its code should be {code}.")
    return ok(response.summary)
