"""What differs between Azure OpenAI and OpenAI."""

import httpx
import openai
import pytest

from tests.local.simulator.reply import check_events, send_create

PATHS = ["/openai/v1/responses", "/openai/v1/responses?api-version=preview"]
KEYS = [{"api-key": "az-test"}, {"authorization": "Bearer az-test"}]


def test_the_azure_sdk_works(azure):
    response = azure.responses.create(model="prod", input="Hi")
    assert (response.model, response.output_text) == ("gpt-5", "You said: Hi")
    assert azure.responses.retrieve(response.id).id == response.id
    with azure.responses.stream(model="prod", input="Hi") as stream:
        assert stream.get_final_response().output_text == "You said: Hi"


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("key", KEYS)
def test_the_v1_api_accepts_both_keys_and_any_version(simulator, path, key):
    reply = send_create(simulator, "gpt-4.1", path, key, stream=True)
    check_events(reply.events)
    response = reply.events[-1]["response"]
    assert response["model"] == "gpt-4.1"
    assert response["content_filters"][0]["blocked"] is False


def test_the_headers_are_those_of_azure(simulator):
    azure = send_create(simulator, path=PATHS[0], headers=KEYS[0]).headers
    assert {"apim-request-id", "x-ms-region", "x-ratelimit-remaining-tokens"} <= azure.keys()
    assert "openai-version" not in azure
    openai = send_create(simulator).headers
    assert openai["openai-version"] == "2020-10-01"
    assert {"x-request-id", "openai-processing-ms", "openai-organization"} <= openai.keys()
    assert "apim-request-id" not in openai


def test_the_old_api_requires_a_version(simulator):
    reply = send_create(simulator, path="/openai/responses", headers=KEYS[0])
    assert (reply.status, reply.error) == (404, {"code": "404", "message": "Resource not found"})


def test_errors_have_neither_type_nor_param(azure):
    with pytest.raises(openai.NotFoundError) as error:
        azure.responses.create(model="missing-deployment", input="Hi")
    assert error.value.body.keys() == {"code", "message"}
    assert error.value.code == "DeploymentNotFound"


@pytest.mark.parametrize("headers", [{}, {"api-key": "bad-key"}])
def test_azure_requires_a_key(simulator, headers):
    reply = send_create(simulator, path=PATHS[0], headers=headers)
    assert (reply.status, reply.error["code"]) == (401, "401")


def test_the_content_filter_error_is_that_of_azure(azure):
    with pytest.raises(openai.BadRequestError) as error:
        azure.responses.create(model="sim-content-filter", input="Hi")
    assert error.value.code == "content_filter"
    assert error.value.param == "prompt"


def test_azure_has_conversations(simulator):
    path = f"{simulator}/openai/v1/conversations"
    conversation = httpx.post(path, headers=KEYS[0], json={}).json()
    reply = send_create(simulator, path=PATHS[0], headers=KEYS[0], conversation=conversation["id"])
    assert reply.status == 200
    items = httpx.get(f"{path}/{conversation['id']}/items", headers=KEYS[0]).json()
    assert [item["role"] for item in items["data"]] == ["assistant", "user"]
