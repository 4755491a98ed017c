"""Requests that OpenAI and Azure OpenAI reject, and their messages."""

import json

import httpx
import openai
import pytest

from tests.local.simulator.reply import KEY, send_create

RAW = {**KEY, "content-type": "application/json"}


@pytest.mark.parametrize(
    ("body", "param", "code", "message"),
    [
        ({"model": None}, "model", "missing_required_parameter", "Missing required parameter"),
        ({"input": None}, None, "missing_required_parameter", 'One of "input" or'),
        ({"stream": "yes"}, "stream", "invalid_type", "expected a boolean, but got a string"),
        ({"model": 3}, "model", "invalid_type", "expected a string, but got an integer"),
        ({"temperature": 3}, "temperature", "decimal_above_max_value", "<= 2, but got 3"),
        ({"max_output_tokens": 5}, "max_output_tokens", "integer_below_min_value", ">= 16"),
        ({"max_output_tokens": True}, "max_output_tokens", "invalid_type", "a boolean"),
        (
            {"metadata": {str(n): "x" for n in range(17)}},
            "metadata",
            "object_above_max_properties",
            "an object with 17 properties",
        ),
        ({"metadata": {"a": 1}}, "metadata.a", "invalid_type", "expected a string"),
        ({"metadata": {"a": "b" * 513}}, "metadata.a", "string_above_max_length", "512"),
        (
            {"conversation": "conv_1", "previous_response_id": "resp_1"},
            None,
            "mutually_exclusive_parameters",
            "Mutually exclusive",
        ),
        (
            {"previous_response_id": "resp_é"},
            "previous_response_id",
            "invalid_value",
            "letters, numbers, underscores, or dashes",
        ),
        ({"input": ["text"]}, None, "invalid_type", "Invalid type"),
        ({"text": {"format": "x"}}, None, "invalid_type", "Invalid type"),
        ({"tools": ["none"]}, None, "invalid_type", "Invalid type"),
    ],
)
def test_an_invalid_body_is_rejected(simulator, body, param, code, message):
    reply = send_create(simulator, **body)
    assert reply.status == 400
    assert reply.error["type"] == "invalid_request_error"
    assert (reply.error["param"], reply.error["code"]) == (param, code)
    assert message in reply.error["message"]


@pytest.mark.parametrize(
    "content",
    [
        b"{",
        b"\xff",
        b"[]",
        b'{"model": "gpt-5", "input": "\\ud800"}',
        b'{"temperature": NaN}',
        b'{"temperature": 1e999}',
        b"[" * 100_000,
    ],
)
def test_a_body_must_be_a_json_object(simulator, content):
    reply = httpx.post(f"{simulator}/v1/responses", headers=RAW, content=content)
    assert (reply.status_code, reply.json()["error"]["type"]) == (400, "invalid_request_error")


def test_another_content_type_is_rejected(simulator):
    headers = {**KEY, "content-type": "text/plain"}
    reply = httpx.post(f"{simulator}/v1/responses", headers=headers, content=b"{}")
    assert reply.json()["error"]["code"] == "unsupported_content_type"


@pytest.mark.parametrize(
    ("headers", "code"), [({}, None), ({"authorization": "Bearer bad-key"}, "invalid_api_key")]
)
def test_openai_requires_a_key(simulator, headers, code):
    reply = send_create(simulator, headers=headers)
    assert (reply.status, reply.error["code"]) == (401, code)
    assert reply.error.keys() == {"message", "type", "param", "code"}


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("limit=0", "integer_below_min_value"),
        ("limit=101", "integer_above_max_value"),
        ("limit=many", "invalid_type"),
        ("order=up", "invalid_value"),
        ("after=msg_none", None),
    ],
)
def test_invalid_page_parameters_are_rejected(simulator, query, code):
    id = json.loads(send_create(simulator).body)["id"]
    reply = httpx.get(f"{simulator}/v1/responses/{id}/input_items?{query}", headers=KEY)
    assert reply.status_code == (400 if code else 404)
    assert reply.json()["error"]["code"] == code


def test_an_invalid_starting_point_is_rejected(simulator):
    id = json.loads(send_create(simulator, background=True).body)["id"]
    path = f"{simulator}/v1/responses/{id}?stream=true&starting_after=first"
    assert httpx.get(path, headers=KEY).json()["error"]["param"] == "starting_after"


@pytest.mark.parametrize(
    ("path", "body", "code"),
    [
        ("/conversations", {"items": [{}] * 21}, "array_above_max_length"),
        ("/conversations", {"items": "none"}, "invalid_type"),
        ("/conversations", {"metadata": []}, "invalid_type"),
        ("/responses/compact", {"input": "Hi"}, "missing_required_parameter"),
        ("/responses/input_tokens", {"tools": 1}, "invalid_type"),
    ],
)
def test_invalid_bodies_of_other_endpoints_are_rejected(simulator, path, body, code):
    reply = httpx.post(f"{simulator}/v1{path}", headers=KEY, json=body)
    assert (reply.status_code, reply.json()["error"]["code"]) == (400, code)


def test_metadata_and_items_are_required(client):
    id = client.conversations.create().id
    with pytest.raises(openai.BadRequestError, match="metadata"):
        client.post(f"/conversations/{id}", cast_to=object, body={})
    with pytest.raises(openai.BadRequestError, match="items"):
        client.post(f"/conversations/{id}/items", cast_to=object, body={})


def test_an_unknown_path_is_not_found(simulator):
    reply = httpx.get(f"{simulator}/v1/responses", headers=KEY)
    assert reply.status_code == 404
    assert reply.json()["error"]["message"] == "Invalid URL (GET /v1/responses)"


def test_models_are_listed(client):
    names = [model.id for model in client.models.list()]
    assert {"gpt-5", "sim-text", "sim-429"} <= set(names)
    assert client.models.retrieve("gpt-5").object == "model"
    with pytest.raises(openai.NotFoundError) as error:
        client.models.retrieve("missing-model")
    assert error.value.code == "model_not_found"
