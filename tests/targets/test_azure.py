"""Azure as it is: its errors, and responses that it does not know yet."""

import json
import time

import pytest

from tests.support.events import make_response, new_id
from tests.support.provider import Gate, encode_response

FILTERED = {
    "error": {
        "message": "The response was filtered.",
        "type": None,
        "param": "prompt",
        "code": "content_filter",
        "status": 400,
        "innererror": {
            "code": "ResponsibleAIPolicyViolation",
            "content_filter_result": {"hate": {"filtered": True, "severity": "high"}},
        },
    }
}


def good(id):
    return encode_response(json.dumps(make_response(id)).encode())


def not_known(id, status=400, code="previous_response_not_found"):
    message = f"Previous response with id '{id}' not found."
    error = {"message": message, "param": "previous_response_id", "code": code}
    return encode_response(json.dumps({"error": error}).encode(), status)


def parent_at(client, provider, model="deployed", **more):
    id = new_id()
    provider.respond_with(encode_response(json.dumps(make_response(id, **more)).encode()))
    assert client.post("/responses", json={"model": model, "input": "x"}).status_code == 200
    provider.received.clear()
    return id


def chained(client, parent, model="deployed"):
    body = {"model": model, "input": "y", "previous_response_id": parent}
    return client.post("/responses", json=body)


@pytest.mark.parametrize(("status", "code"), [(400, "previous_response_not_found"), (404, None)])
def test_what_azure_has_just_finished_is_waited_for(many, providers, status, code):
    azure = providers["azure-a"]
    with many.client() as client:
        parent = parent_at(client, azure)
        azure.respond_with(not_known(parent, status, code))
        azure.respond_with(good(new_id()))
        got = chained(client, parent)
    assert (got.status_code, len(azure.received)) == (200, 2)
    assert azure.received[0].body == azure.received[1].body
    assert got.headers["x-antiphon-attempts"] == "2"


def test_it_is_not_waited_for_longer_than_is_configured(many, providers):
    azure = providers["azure-a"]
    with many.client() as client:
        parent = parent_at(client, azure)
        for _ in range(9):
            azure.respond_with(not_known(parent))
        got = chained(client, parent)
    assert got.status_code == 400
    assert got.json()["error"]["code"] == "previous_response_not_found"
    assert 2 <= len(azure.received) <= 4  # two seconds: after 0, 0.5 and 1.5
    assert posts_elsewhere(providers, "azure-a") == 0


def posts_elsewhere(providers, name):
    return sum(len(p.received) for other, p in providers.items() if other != name)


def test_what_finished_long_ago_is_gone(many, providers):
    azure = providers["azure-a"]
    with many.client() as client:
        parent = parent_at(client, azure)
        many.change(f"T#acme#R#{parent}", completed_at=int(time.time()) - 61)
        azure.respond_with(not_known(parent))
        got = chained(client, parent)
    assert (got.status_code, len(azure.received)) == (400, 1)


def test_openai_knows_what_it_has_finished(many, providers):
    with many.client() as client:
        parent = parent_at(client, providers["first"], "one")
        providers["first"].respond_with(not_known(parent))
        got = chained(client, parent, "one")
    assert (got.status_code, len(providers["first"].received)) == (400, 1)


def test_another_refusal_of_azure_is_not_waited_out(many, providers):
    azure = providers["azure-a"]
    with many.client() as client:
        parent = parent_at(client, azure)
        azure.respond_with(encode_response(json.dumps(FILTERED).encode(), 400))
        got = chained(client, parent)
    assert (got.status_code, len(azure.received)) == (400, 1)


def send_create(gateway, provider, answer):
    provider.respond_with(answer)
    with gateway.client() as client:
        return client.post("/responses", json={"model": "deployed", "input": "x"})


def test_a_content_filters_error_is_passed_whole(many, providers):
    body = json.dumps(FILTERED, indent=1).encode()
    got = send_create(many, providers["azure-a"], encode_response(body, 400, apim_request_id="a-1"))
    assert (got.status_code, got.content) == (400, body)
    assert got.headers["apim-request-id"] == "a-1"


@pytest.mark.parametrize(
    ("status", "body", "type"),
    [
        (400, {"error": {"code": "BadRequest", "message": "m"}}, "invalid_request_error"),
        (500, {"error": {"code": "InternalServerError", "message": "m"}}, "server_error"),
        (400, {"x": 1, "error": {"code": "c", "message": "m"}}, "invalid_request_error"),
        (400, {"error": {}}, "invalid_request_error"),
        (500, {"statusCode": 500, "message": "m"}, "server_error"),
    ],
    ids=str,
)
def test_errors_get_what_clients_look_for_and_lose_nothing(many, providers, status, body, type):
    got = send_create(
        many, providers["azure-a"], encode_response(json.dumps(body).encode(), status)
    )
    document = got.json()
    assert got.status_code == status
    assert {"message", "type", "param", "code"} <= set(document["error"])
    assert (document["error"]["type"], document["error"]["param"]) == (type, None)
    assert {**document, **body}.keys() == document.keys()
    assert document["error"].items() >= body.get("error", {}).items()


def test_what_stands_in_an_error_stays_byte_for_byte(many, providers):
    body = b'{ "error":  {"code":"BadRequest",\n "message":"\\u00fcber", "n": 1.50 }  }'
    got = send_create(many, providers["azure-a"], encode_response(body, 400))
    added = b', "type": "invalid_request_error", "param": null'
    assert got.content == body.replace(b"1.50 ", b"1.50 " + added)


@pytest.mark.parametrize("body", [b"<html>", b"[1]", b'{"error":"m"}', b'{"error":null}', b"{}"])
def test_what_is_no_error_object_passes_as_it_is(many, providers, body):
    got = send_create(many, providers["azure-a"], encode_response(body, 400))
    assert (got.status_code, got.content) == (400, body)


def test_a_deployment_that_is_gone_lets_the_next_one_answer(many, providers):
    missing = b'{"error":{"code":"DeploymentNotFound","message":"m"}}'
    providers["azure-b"].respond_with(good(new_id()))
    got = send_create(many, providers["azure-a"], encode_response(missing, 404))
    assert (got.status_code, got.headers["x-antiphon-target"]) == (200, "azure-b")


def test_the_wait_holds_up_no_terminal_event(many, providers):
    """A parent whose end is not written yet counts as one that has just ended."""
    azure, gate = providers["azure-a"], Gate()
    with many.client() as client:
        parent = parent_at(client, azure, status="in_progress")
        azure.respond_with(not_known(parent))
        azure.respond_with(gate, good(new_id()))
        gate.open()
        assert chained(client, parent).status_code == 200
