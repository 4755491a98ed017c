"""The simulator as Amazon Bedrock: OpenAI's own client signs for it, and others are refused."""

import httpx
import openai
import pytest
from openai import OpenAI
from openai.providers import bedrock


def client_of(simulator, **more):
    keys = {"access_key_id": "local", "secret_access_key": "local", "session_token": "t"}
    given = {"region": "eu-central-1", "base_url": f"{simulator}/bedrock", **keys, **more}
    return OpenAI(provider=bedrock(**given), max_retries=0)


@pytest.mark.parametrize("endpoint", ["runtime", "mantle"])
def test_what_openais_client_signs_is_served(simulator, endpoint):
    with client_of(simulator, endpoint=endpoint) as client:
        response = client.responses.create(model="openai.gpt-oss-120b", input="Hi")
        assert response.output_text == "You said: Hi"
        read = client.responses.retrieve(response.id, include=["message.output_text.logprobs"])
        assert read.id == response.id
        with client.responses.stream(model="openai.gpt-oss-120b", input="Hi") as stream:
            assert stream.get_final_response().output_text == "You said: Hi"
        with pytest.raises(openai.BadRequestError, match="Missing required parameter"):
            client.post("/responses", body={}, cast_to=object)


@pytest.mark.parametrize(
    ("keys", "name"),
    [
        ({"secret_access_key": "other"}, "InvalidSignatureException"),
        ({"access_key_id": "AKIAOTHER"}, "UnrecognizedClientException"),
    ],
)
def test_another_signature_gets_awss_own_error(simulator, keys, name):
    with client_of(simulator, **keys) as client, pytest.raises(openai.APIStatusError) as raised:
        client.responses.create(model="m", input="Hi")
    assert (raised.value.status_code, raised.value.response.headers["x-amzn-errortype"]) == (
        403,
        name,
    )
    assert raised.value.response.json().keys() == {"message"}


def test_a_key_is_no_signature(simulator):
    answer = httpx.post(f"{simulator}/bedrock/responses", headers={"authorization": "Bearer x"})
    assert answer.status_code == 403
    assert answer.headers["x-amzn-errortype"] == "MissingAuthenticationTokenException"
