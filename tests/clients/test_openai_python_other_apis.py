"""What openai-python raises where it calls what the gateway does not serve: with what to call."""

import json

import openai
import pytest
from websockets.exceptions import InvalidStatus

from tests.clients.sdk import opened
from tests.support.gateway import KEYS

CALLS = {
    "chat.completions.create": {
        "model": "gpt-5",
        "messages": [{"role": "user", "content": "x"}],
    },
    "completions.create": {"model": "gpt-5", "prompt": "x"},
    "moderations.create": {"input": "x"},
    "images.generate": {"prompt": "x"},
    "fine_tuning.jobs.list": {},
}


@pytest.mark.parametrize("name", CALLS)
async def test_another_api_is_a_404_that_names_the_call(sdk, provider, name):
    with pytest.raises(openai.NotFoundError) as refusal:
        await sdk.call(name, **CALLS[name])
    assert (refusal.value.code, refusal.value.param) == ("endpoint_not_served", None)
    instead = "the provider directly" if name.startswith("fine") else "client.responses.create"
    assert instead in refusal.value.message
    assert "Served are responses, conversations" in refusal.value.message
    assert provider.received == []


@pytest.mark.parametrize(
    ("suffix", "kind"), [("/v1", openai.NotFoundError), ("/responses", openai.APIStatusError)]
)
async def test_a_base_url_with_a_part_twice_is_explained(gateway, door, flavour, suffix, kind):
    settings = {"base_url": gateway.base(door) + suffix, "api_key": KEYS["acme"]}
    async with opened(flavour, **settings) as twice:
        with pytest.raises(kind, match="must end with /v1, once") as refusal:
            await twice.create(model="gpt-5", input="x")
    assert refusal.value.code == "endpoint_not_served"


async def test_tools_of_chat_completions_are_explained(sdk, provider):
    tool = {"type": "function", "function": {"name": "f", "parameters": {}}}
    with pytest.raises(openai.BadRequestError, match="stand beside 'type'") as refusal:
        await sdk.create(model="gpt-5", input="x", tools=[tool])
    assert refusal.value.param == "tools[0].name"
    assert provider.received == []


def test_a_websocket_is_refused_with_what_to_use_instead(gateway, door):
    """The SDK shows the response as it is: its exception has no message of its own."""
    client = openai.OpenAI(base_url=gateway.base(door), api_key=KEYS["acme"])
    with client, pytest.raises(InvalidStatus) as refusal, client.responses.connect():
        pass
    assert refusal.value.response.status_code == 426
    error = json.loads(refusal.value.response.body)["error"]
    assert "Send POST /responses over HTTP" in error["message"]
