"""Refusals as openai-python raises them: the class, and what its attributes say."""

import json

import openai
import pytest

from tests.clients.sdk import opened
from tests.support.events import make_response, new_id
from tests.support.gateway import KEYS
from tests.support.provider import encode_response

ASK = {"model": "gpt-5", "input": "x"}
OURS = {  # what the gateway itself refuses: the class, the param and the code
    "a wrong type": (
        {"temperature": "hot"},
        (openai.BadRequestError, "temperature", "invalid_type"),
    ),
    "too long": (
        {"metadata": {"team": "x" * 513}},
        (openai.BadRequestError, "metadata.team", "string_above_max_length"),
    ),
    "deep inside": (
        {"tools": [{"type": "function", "name": "no good"}]},
        (openai.BadRequestError, "tools[0].name", "invalid_value"),
    ),
    "an unknown model": (
        {"model": "gtp-5"},
        (openai.NotFoundError, "model", "model_not_found"),
    ),
    "an unknown parent": (
        {"previous_response_id": "resp_no"},
        (openai.BadRequestError, "previous_response_id", "previous_response_not_found"),
    ),
    "an unknown conversation": (
        {"conversation": "conv_no"},
        (openai.NotFoundError, "conversation", None),
    ),
}
THEIRS = {  # what a provider refuses, by its status; each is not tried again
    400: openai.BadRequestError,
    404: openai.NotFoundError,
    422: openai.UnprocessableEntityError,
    500: openai.InternalServerError,
    502: openai.InternalServerError,
    504: openai.InternalServerError,
}
NONE_SENT = 0


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("name", OURS)
async def test_what_is_wrong_is_raised_and_named(sdk, provider, name, stream):
    wrong, (kind, param, code) = OURS[name]
    with pytest.raises(kind) as caught:
        await sdk.create(**{**ASK, **wrong, "stream": stream})
    assert (caught.value.param, caught.value.code) == (param, code)
    assert caught.value.type == "invalid_request_error"
    assert caught.value.message
    assert len(provider.received) == NONE_SENT


async def test_a_refusal_has_the_request_id_that_operators_look_for(sdk):
    with pytest.raises(openai.BadRequestError) as caught:
        await sdk.create(**ASK, temperature=9)
    headers = caught.value.response.headers
    assert caught.value.request_id == headers["x-request-id"] == headers["x-antiphon-request-id"]


async def test_a_wrong_key_is_an_authentication_error(gateway, provider, door, flavour):
    base = gateway.base(door)
    async with opened(flavour, base_url=base, api_key="sk-unknown-key-123") as sdk:
        with pytest.raises(openai.AuthenticationError) as caught:
            await sdk.create(**ASK)
    assert caught.value.code == "invalid_api_key"
    assert caught.value.request_id
    assert len(provider.received) == NONE_SENT


async def test_another_tenants_response_is_not_found(sdk, gateway, provider, door, flavour):
    provider.respond_with(encode_response(json.dumps(make_response(new_id())).encode()))
    mine = await sdk.create(**ASK)
    base = gateway.base(door)
    async with opened(flavour, base_url=base, api_key=KEYS["umbra"]) as foreign:
        with pytest.raises(openai.BadRequestError) as caught:
            await foreign.create(**ASK, previous_response_id=mine.id)
    assert caught.value.code == "previous_response_not_found"


async def test_a_wrong_path_is_not_found(gateway, provider, door, flavour):
    base = gateway.base(door) + "/v1"
    async with opened(flavour, base_url=base, api_key=KEYS["acme"]) as sdk:
        with pytest.raises(openai.NotFoundError) as caught:
            await sdk.create(**ASK)
    assert "/v1/v1/responses" in caught.value.message
    assert len(provider.received) == NONE_SENT


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("status", THEIRS)
async def test_a_providers_refusal_is_raised_as_it_is(sdk, provider, status, stream):
    error = {"message": "m", "type": "t", "param": "p", "code": "c", "more": [1]}
    provider.respond_with(encode_response(json.dumps({"error": error}).encode(), status))
    with pytest.raises(THEIRS[status]) as caught:
        await sdk.create(**ASK, stream=stream)
    got = caught.value
    assert (got.status_code, got.body) == (status, error)
    assert (got.param, got.code, got.type) == ("p", "c", "t")
    assert got.request_id == "req_of_provider"
    assert got.response.headers["x-antiphon-target"] == "openai"


async def test_azures_content_filter_is_raised_with_what_it_found(sdk, provider):
    inner = {"code": "ResponsibleAIPolicyViolation", "content_filter_result": {"hate": {}}}
    error = {"message": "filtered", "type": None, "param": "prompt", "code": "content_filter"}
    error |= {"status": 400, "innererror": inner}
    provider.respond_with(encode_response(json.dumps({"error": error}).encode(), 400))
    with pytest.raises(openai.BadRequestError) as caught:
        await sdk.create(model="public", input="x")
    assert (caught.value.code, caught.value.body) == ("content_filter", error)


@pytest.mark.parametrize("status", [401, 403])
async def test_the_gateways_credential_is_not_the_callers_mistake(sdk, provider, status):
    provider.respond_with(
        encode_response(b'{"error":{"message":"Incorrect API key: sk-secret"}}', status)
    )
    with pytest.raises(openai.InternalServerError) as caught:
        await sdk.create(**ASK)
    assert caught.value.code == "upstream_auth"
    assert "sk-secret" not in str(caught.value)
    assert len(provider.received) == 1
