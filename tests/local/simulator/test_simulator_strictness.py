"""Requests that OpenAI refuses with these texts, and the simulator too, so that tests find them."""

import pytest

from infra.local.simulator.api_request import OpenAI
from infra.local.simulator.creation import start_response
from infra.local.simulator.errors import ApiError
from infra.local.simulator.state import Account

OBJECT = {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]}
STRICT = {**OBJECT, "additionalProperties": False}
NESTED = {"type": "object", "properties": {"b": OBJECT}, "required": ["b"]}
CALL = {"type": "function_call", "call_id": "call_1", "name": "f", "arguments": "{}"}
OUTPUT = {"type": "function_call_output", "call_id": "call_1", "output": "x"}
REASONING = {"type": "reasoning", "id": "rs_1", "summary": []}
QUESTION = {"role": "user", "content": "Hi"}
ANSWER = {"role": "assistant", "content": [{"type": "output_text", "text": "Hi"}]}


def tool(name="f", **more):
    return {"type": "function", "name": name, **more}


def schema_format(**more):
    return {"text": {"format": {"type": "json_schema", **more}}}


def send(body):
    """Returns the refusal of a body, None if there is none."""
    try:
        start_response(OpenAI(), Account(), {"model": "gpt-4.1", "input": "Hi", **body}, 0)
    except ApiError as error:
        return error
    return None


REFUSED = {
    "content of a user in an assistant's message": (
        {"input": [QUESTION, {"role": "assistant", "content": [{"type": "input_text"}]}]},
        "input[1].content[0]",
        "Invalid value: 'input_text'. Supported values are: 'output_text' and 'refusal'.",
    ),
    "content of an assistant in a user's message": (
        {"input": [{"role": "user", "content": [{"type": "output_text", "text": "x"}]}]},
        "input[0].content[0]",
        "Invalid value: 'output_text'. Supported values are: 'input_text', 'input_image', and",
    ),
    "unknown include": (
        {"include": ["reasoning.encrypted_content", "all"]},
        "include[1]",
        "Invalid value: 'all'. Supported values are: 'file_search_call.results', ",
    ),
    "unknown effort": (
        {"reasoning": {"effort": "huge"}},
        "reasoning.effort",
        "Invalid value: 'huge'. Supported values are: 'none', 'minimal', ",
    ),
    "key of metadata": ({"metadata": {"k" * 65: "x"}}, "metadata", "maximum length 64"),
    "temperature with reasoning": (
        {"model": "gpt-5", "temperature": 0.5},
        "temperature",
        "Unsupported parameter: 'temperature' is not supported with this model.",
    ),
    "effort without reasoning": (
        {"reasoning": {"effort": "low"}},
        "reasoning.effort",
        "Unsupported parameter: 'reasoning.effort' is not supported with this model.",
    ),
    "logprobs with reasoning": (
        {"model": "o4-mini", "top_logprobs": 1},
        "top_logprobs",
        "logprobs are not supported with reasoning models.",
    ),
    "tool of Chat Completions": (
        {"tools": [{"type": "function", "function": {"name": "f"}}]},
        "tools[0].name",
        "Missing required parameter: 'tools[0].name'.",
    ),
    "name of a function": (
        {"tools": [tool("get.weather")]},
        "tools[0].name",
        "Invalid 'tools[0].name': string does not match pattern. Expected a string that matches",
    ),
    "long name": ({"tools": [tool("f" * 129)]}, "tools[0].name", "with maximum length 128"),
    "name twice": (
        {"tools": [tool(), {"type": "custom", "name": "f"}]},
        "tools[1].name",
        "used by more than one tool",
    ),
    "server without label": ({"tools": [{"type": "mcp"}]}, "tools[0].server_label", "Missing"),
    "strict function": (
        {"tools": [tool(strict=True, parameters={**NESTED, "additionalProperties": False})]},
        "tools[0].parameters",
        "Invalid schema for function 'f': In context=('properties', 'b'), 'additionalProperties'",
    ),
    "strict function with an optional property": (
        {"tools": [tool(strict=True, parameters={**STRICT, "required": []})]},
        "tools[0].parameters",
        "including every key in properties. Missing 'a'.",
    ),
    "parameters that are no object": (
        {"tools": [tool(parameters={"type": "array"})]},
        "tools[0].parameters",
        """schema must be a JSON Schema of 'type: "object"', got 'type: "array"'.""",
    ),
    "format without name": (
        schema_format(schema=OBJECT),
        "text.format.name",
        "Missing required parameter: 'text.format.name'.",
    ),
    "format of Chat Completions": (
        schema_format(name="x", json_schema={"schema": OBJECT}),
        "text.format.schema",
        "Missing",
    ),
    "strict format": (
        schema_format(name="x", strict=True, schema=OBJECT),
        "text.format.schema",
        "Invalid schema for response_format 'x': In context=(), 'additionalProperties' is",
    ),
    "unknown format": (
        {"text": {"format": {"type": "xml"}}},
        "text.format.type",
        "Invalid value: 'xml'. Supported values are: 'text', 'json_schema', and 'json_object'.",
    ),
    "JSON without the word": (
        {"text": {"format": {"type": "json_object"}}},
        "input",
        "Response input messages must contain the word 'json' in some form",
    ),
    "unknown choice": (
        {"tools": [tool()], "tool_choice": "any"},
        "tool_choice",
        "Invalid value: 'any'. Supported values are: 'none', 'auto', and 'required'.",
    ),
    "choice of an absent function": (
        {"tools": [tool()], "tool_choice": {"type": "function", "name": "g"}},
        "tool_choice",
        "Tool choice 'g' not found in 'tools' parameter.",
    ),
    "choice of an absent type": (
        {"tools": [tool()], "tool_choice": {"type": "web_search_preview"}},
        "tool_choice",
        "Tool choice 'web_search_preview' not found in 'tools' parameter.",
    ),
    "choice of Chat Completions": (
        {"tools": [tool()], "tool_choice": {"type": "function", "function": {"name": "f"}}},
        "tool_choice.name",
        "Missing required parameter: 'tool_choice.name'.",
    ),
    "choice without tools": ({"tool_choice": "required"}, "tool_choice", "must be specified"),
    "output without call": (
        {"input": [QUESTION, OUTPUT]},
        "input",
        "No tool call found for function call output with call_id call_1.",
    ),
    "call without output": (
        {"input": [QUESTION, CALL]},
        "input",
        "No tool output found for function call call_1.",
    ),
    "output of another kind": (
        {"input": [QUESTION, CALL, {**OUTPUT, "type": "custom_tool_call_output"}]},
        "input",
        "No tool call found for custom tool call output with call_id call_1.",
    ),
    "reasoning at the end": (
        {"input": [QUESTION, REASONING]},
        "input",
        "Item 'rs_1' of type 'reasoning' was provided without its required following item.",
    ),
    "reasoning before a question": ({"input": [REASONING, QUESTION]}, "input", "following item"),
}
ACCEPTED = [
    {"tools": [tool(parameters=OBJECT)], "tool_choice": {"type": "function", "name": "f"}},
    {"tools": [tool(strict=True, parameters=STRICT)]},
    {"tools": [{"type": "web_search"}], "tool_choice": {"type": "web_search_preview"}},
    {
        "tools": [{"type": "mcp", "server_label": "s"}],
        "tool_choice": {"type": "mcp", "server_label": "s"},
    },
    schema_format(name="x", schema=OBJECT),
    {"input": [QUESTION, REASONING, CALL, OUTPUT, QUESTION]},
    {"input": [QUESTION, REASONING, ANSWER, QUESTION]},
    {"model": "gpt-5", "temperature": 1, "top_p": 1},
    {"model": "unknown-model", "temperature": 0.5, "reasoning": {"effort": "low"}},
]


@pytest.mark.parametrize("name", REFUSED)
def test_openai_refuses(name):
    body, param, text = REFUSED[name]
    error = send(body)
    assert error is not None
    assert (error.status, error.param) == (400, param)
    assert text in error.message


@pytest.mark.parametrize("body", ACCEPTED, ids=str)
def test_openai_accepts(body):
    assert send(body) is None


def test_the_calls_of_the_previous_response_need_their_outputs():
    account = Account()
    body = {"model": "gpt-4.1", "input": "f", "tools": [tool()]}
    first = start_response(OpenAI(), account, body, 0)
    after = {**body, "previous_response_id": first.id}
    with pytest.raises(ApiError, match="No tool output found for function call call_"):
        start_response(OpenAI(), account, after, 0)
    output = {**OUTPUT, "call_id": first.final["output"][0]["call_id"]}
    assert start_response(OpenAI(), account, {**after, "input": [output]}, 0).is_finished
