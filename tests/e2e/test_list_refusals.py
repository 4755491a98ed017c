"""What the gateway's own lists refuse, and in which words."""

import re

import httpx
import pytest

from tests.support.events import new_id
from tests.support.requests import create_conversation, create_response, delete_response


@pytest.fixture
def acme(gateway, door):
    with gateway.client(door) as client:
        yield client


@pytest.fixture
def umbra(gateway, door):
    with gateway.client(door, "umbra") as client:
        yield client


@pytest.mark.parametrize("path", ["/responses", "/conversations"])
def test_a_cursor_that_is_not_the_tenants_own_is_not_found(acme, umbra, provider, path):
    make, kind = (
        (create_response, "Response")
        if path == "/responses"
        else (create_conversation, "Conversation")
    )
    answers = set()
    for after in (make(umbra, provider), new_id(), "resp/../x", "", "x" * 4000):
        got = acme.get(path, params={"after": after})
        answers.add((got.status_code, re.sub(r"with id '[^']*'", "with id 'ID'", got.text)))
    message = f"{kind} with id 'ID' not found."
    [(status, body)] = answers
    assert status == 404
    assert f'"message": "{message}", "type": "invalid_request_error", "param": "after"' in body


def test_a_cursor_of_the_other_kind_or_deleted_is_not_found(acme, provider):
    conversation, deleted = create_conversation(acme, provider), create_response(acme, provider)
    delete_response(acme, provider, deleted)
    for after in (conversation, deleted):
        assert acme.get("/responses", params={"after": after}).status_code == 404


@pytest.mark.parametrize(
    ("query", "param", "code"),
    [
        ("limit=0", "limit", "integer_below_min_value"),
        ("limit=101", "limit", "integer_above_max_value"),
        ("limit=1_0", "limit", "invalid_value"),
        ("limit=", "limit", "invalid_value"),
        ("limit=5&limit=6", "limit", "invalid_value"),
        ("order=newest", "order", "invalid_value"),
        ("created_after=soon", "created_after", "invalid_value"),
        ("created_before=-1", "created_before", "invalid_value"),
        ("created_before=10000000000", "created_before", "integer_above_max_value"),
        ("metadata=x", "metadata", "unknown_parameter"),
        ("metadata[k]=" + "v" * 513, "metadata.k", "string_above_max_length"),
        ("metadata[k]=a&metadata%5Bk%5D=b", "metadata[k]", "invalid_value"),
        ("user=me", "user", "unknown_parameter"),
    ],
)
def test_a_wrong_parameter_is_refused_by_its_name(acme, query, param, code):
    got = acme.get(f"/responses?{query}")
    error = got.json()["error"]
    assert (got.status_code, error["param"], error["code"]) == (400, param, code)


def test_the_error_of_an_unknown_parameter_lists_the_known_ones(acme):
    message = acme.get("/responses?user=me").json()["error"]["message"]
    assert message == (
        "Unknown parameter: 'user'. Known here: after, created_after, created_before, limit, "
        "metadata[key], model, order, status."
    )
    for query in ("model=x", "status=x"):
        assert acme.get(f"/conversations?{query}").status_code == 400
    assert acme.get("/responses?api-version=preview&limit=1").status_code == 200


def test_lists_need_a_key(gateway, door):
    for path in ("/responses", "/conversations", "/responses/resp_1/lineage"):
        assert httpx.get(gateway.base(door) + path, trust_env=False).status_code == 401


@pytest.mark.parametrize("header", [{"upgrade": "WebSocket"}, {"sec-websocket-key": "eA=="}])
def test_a_websocket_is_refused_at_once(gateway, door, header):
    headers = {"connection": "upgrade", "sec-websocket-version": "13", **header}
    got = httpx.get(f"{gateway.base(door)}/responses", headers=headers, trust_env=False)
    assert got.status_code == 426
    assert got.json()["error"]["code"] == "websocket_not_supported"
    assert "HTTP" in got.json()["error"]["message"]
    assert got.headers["x-should-retry"] == "false"
