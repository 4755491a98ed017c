"""The simulator refuses what OpenAI refuses, so that a user sees it before production."""

import pytest

from antiphon.schema.create import CreateResponse
from infra.local.simulator.errors import ApiError
from infra.local.simulator.parameters import KNOWN, check_messages, check_parameters


def refusal(check, body):
    with pytest.raises(ApiError) as caught:
        check(body)
    return caught.value.message, caught.value.code, caught.value.param


@pytest.mark.parametrize(
    ("name", "moved"),
    [
        ("response_format", "text.format"),
        ("reasoning_effort", "reasoning.effort"),
        ("messages", "input"),
        ("max_completion_tokens", "max_output_tokens"),
    ],
)
def test_parameters_of_chat_completions_have_moved(name, moved):
    message, code, param = refusal(check_parameters, {"model": "m", name: 1})
    assert (code, param) == ("unsupported_parameter", name)
    assert f"has moved to '{moved}'" in message


def test_an_unknown_parameter_is_named():
    assert refusal(check_parameters, {"tempurature": 1}) == (
        "Unknown parameter: 'tempurature'.",
        "unknown_parameter",
        "tempurature",
    )


def test_every_parameter_that_the_gateway_knows_is_known():
    check_parameters(dict.fromkeys(KNOWN))
    assert set(CreateResponse.model_fields) - KNOWN == {"max_tokens"}


@pytest.mark.parametrize(
    ("item", "param", "words"),
    [
        ({"role": "tool", "content": "x"}, "input[1].role", "'developer', and 'user'"),
        (
            {"role": "user", "content": [{"type": "input_text"}, {"type": "text"}]},
            "input[1].content[1].type",
            "Invalid value: 'text'. Supported values are: 'input_text', ",
        ),
        (
            {"type": "message", "role": "user", "content": [{"type": "image_url"}]},
            "input[1].content[0].type",
            "'input_image'",
        ),
    ],
    ids=str,
)
def test_a_role_or_type_that_does_not_exist_is_named(item, param, words):
    message, code, found = refusal(check_messages, {"input": [{"role": "user"}, item]})
    assert (code, found) == ("invalid_value", param)
    assert words in message


@pytest.mark.parametrize(
    "input",
    ["x", None, [{"type": "function_call_output", "role": "odd"}], [{"role": "system"}, 5], [{}]],
    ids=str,
)
def test_other_items_have_checks_of_their_own(input):
    check_messages({"input": input})


def test_an_sdk_sees_it_through_the_gateway(played):
    with played.client("url", "acme") as client:
        body = {"model": "gpt-4.1", "input": "x", "response_format": {"type": "json_object"}}
        got = client.post("/responses", json=body)
    assert (got.status_code, got.json()["error"]["param"]) == (400, "response_format")
    assert "has moved to 'text.format'" in got.json()["error"]["message"]
