"""The ways to Azure OpenAI that openai-python knows, each through the gateway."""

import json

import pytest

from tests.clients.sdk import opened
from tests.clients.text_events import make_text_events
from tests.support.events import make_response, new_id
from tests.support.gateway import KEYS
from tests.support.provider import encode_response, encode_stream

KEY = KEYS["acme"]
DATED = "2025-04-01-preview"
WAYS = {
    "AzureOpenAI, by its endpoint": lambda root: {
        "brand": "azure", "azure_endpoint": root, "api_version": DATED, "api_key": KEY,
    },
    "AzureOpenAI, with a deployment": lambda root: {
        "brand": "azure", "azure_endpoint": root, "api_version": DATED, "api_key": KEY,
        "azure_deployment": "any",
    },
    "AzureOpenAI, with an Entra token": lambda root: {
        "brand": "azure", "azure_endpoint": root, "api_version": DATED, "azure_ad_token": KEY,
    },
    "AzureOpenAI, on the v1 path": lambda root: {
        "brand": "azure", "base_url": f"{root}/openai/v1", "api_version": "preview",
        "api_key": KEY,
    },
    "OpenAI, on the v1 path": lambda root: {"base_url": f"{root}/openai/v1/", "api_key": KEY},
    "OpenAI": lambda root: {"base_url": f"{root}/v1", "api_key": KEY},
}  # fmt: skip
TARGETS = {  # model: the line, the name and the credential that its provider gets
    "public": ("POST /openai/v1/responses HTTP/1.1", "deployed", "credential-of-azure"),
    "same": ("POST /openai/v1/responses HTTP/1.1", "same", "credential-of-azure"),
    "older": (
        f"POST /openai/responses?api-version={DATED} HTTP/1.1",
        "older-deployed",
        "credential-of-legacy",
    ),
}


@pytest.fixture(params=WAYS)
async def azure(request, gateway, door, flavour):
    root = gateway.base(door).removesuffix("/v1")
    async with opened(flavour, **WAYS[request.param](root)) as client:
        yield client


@pytest.mark.parametrize("model", TARGETS)
async def test_every_way_leads_to_every_azure_target(azure, provider, model):
    """How the caller spells the path says nothing of the target's path: the model decides."""
    line, deployment, credential = TARGETS[model]
    provider.respond_with(encode_response(json.dumps(make_response(new_id())).encode()))
    provider.respond_with(encode_stream(*make_text_events(new_id())))
    assert (await azure.create(model=model, input="x")).status == "completed"
    assert (await azure.final(model=model, input="x")).output_text == "Hello you"
    for got in provider.received:
        assert got.line == line
        assert got.headers["api-key"] == credential
        assert "authorization" not in got.headers
        assert json.loads(got.body)["model"] == deployment


async def test_every_way_leads_to_openai(azure, provider):
    provider.respond_with(encode_response(json.dumps(make_response(new_id())).encode()))
    await azure.create(model="gpt-5", input="x")
    (got,) = provider.received
    assert got.line == "POST /v1/responses HTTP/1.1"
    assert got.headers["authorization"] == "Bearer credential-of-openai"
    assert "api-key" not in got.headers


async def test_azures_own_fields_come_through(azure, provider):
    """Answers hold more there than the API's description knows."""
    filters = [{"blocked": False, "source_type": "prompt", "content_filter_results": {}}]
    answer = json.dumps(make_response(new_id(), content_filters=filters)).encode()
    provider.respond_with(encode_response(answer, apim_request_id="apim-1", x_ms_region="East US"))
    raw = await azure.raw(model="public", input="x")
    assert raw.headers["apim-request-id"] == "apim-1"
    assert raw.headers["x-ms-region"] == "East US"
    assert raw.headers["x-antiphon-target"] == "azure"
    assert raw.parse().content_filters == filters
