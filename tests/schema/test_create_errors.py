"""POST /responses: bodies that are refused, with the field's name and OpenAI's code."""

import json

import pytest

from antiphon.errors import InvalidRequest
from antiphon.schema.create import CreateResponse

OK = {"model": "gpt-5", "input": "x"}


def parse(**fields):
    return CreateResponse.parse(json.dumps({**OK, **fields}).encode())


@pytest.mark.parametrize(
    ("fields", "param", "code"),
    [
        ({"model": None}, "model", "missing_required_parameter"),
        ({"model": ""}, "model", "string_below_min_length"),
        ({"model": 5}, "model", "invalid_type"),
        ({"input": None}, "input", "missing_required_parameter"),
        ({"input": 5}, "input", "invalid_type"),
        ({"input": {}}, "input", "invalid_type"),
        ({"input": ["text"]}, "input[0]", "invalid_type"),
        ({"input": [{"role": "user", "content": 5}]}, "input[0].content", "invalid_type"),
        ({"input": [{"role": "user", "content": [5]}]}, "input[0].content", "invalid_value"),
        ({"input": [{}, {"type": 5}]}, "input[1].type", "invalid_type"),
        ({"input": [{"type": "function_call", "name": "a b"}]}, "input[0].name", "invalid_value"),
        ({"input": [{"type": "function_call"}]}, "input[0].name", "invalid_value"),
        (
            {"input": [{"type": "function_call_output", "call_id": "c" * 65}]},
            "input[0].call_id",
            "string_above_max_length",
        ),
        (
            {"input": [{"type": "function_call_output", "call_id": ""}]},
            "input[0].call_id",
            "string_below_min_length",
        ),
        ({"instructions": 5}, "instructions", "invalid_type"),
        ({"temperature": 2.1}, "temperature", "decimal_above_max_value"),
        ({"temperature": -0.1}, "temperature", "decimal_below_min_value"),
        ({"temperature": "1"}, "temperature", "invalid_type"),
        ({"temperature": True}, "temperature", "invalid_type"),
        ({"top_p": 1.1}, "top_p", "decimal_above_max_value"),
        ({"top_logprobs": 21}, "top_logprobs", "integer_above_max_value"),
        ({"top_logprobs": 1.5}, "top_logprobs", "invalid_type"),
        ({"max_output_tokens": 0}, "max_output_tokens", "integer_below_min_value"),
        ({"max_output_tokens": True}, "max_output_tokens", "invalid_type"),
        ({"max_tokens": 0}, "max_tokens", "integer_below_min_value"),
        ({"max_tokens": 5, "max_output_tokens": 5}, "max_tokens", "mutually_exclusive_parameters"),
        ({"max_tool_calls": -1}, "max_tool_calls", "integer_below_min_value"),
        ({"model": "m" * 257}, "model", "string_above_max_length"),
        ({"service_tier": "t" * 65}, "service_tier", "string_above_max_length"),
        ({"Model": "gpt-5-pro"}, "Model", "invalid_value"),
        ({"STREAM": True}, "STREAM", "invalid_value"),
        ({"\u017ftream": True}, "\u017ftream", "invalid_value"),
        ({"Previous_Response_Id": "resp_1"}, "Previous_Response_Id", "invalid_value"),
        ({"Max_Tokens": 5}, "Max_Tokens", "invalid_value"),
        ({"conversation": {"id": "conv_1", "ID": "conv_2"}}, "conversation.ID", "invalid_value"),
        ({"input": [{}, {"Type": "item_reference"}]}, "input[1].Type", "invalid_value"),
        ({"input": [{"content": "x", "Id": "msg_1"}]}, "input[0].Id", "invalid_value"),
        ({"tools": [{"type": "a", "Name": "f"}]}, "tools[0].Name", "invalid_value"),
        (
            {"prompt_cache_options": {"Comparison_Response_ID": "resp_1"}},
            "prompt_cache_options.Comparison_Response_ID",
            "invalid_value",
        ),
        ({"stream": "true"}, "stream", "invalid_type"),
        ({"stream": 1}, "stream", "invalid_type"),
        ({"stream_options": {}}, "stream_options", "invalid_value"),
        (
            {"stream": True, "stream_options": {"include_obfuscation": 1}},
            "stream_options.include_obfuscation",
            "invalid_type",
        ),
        ({"store": "no"}, "store", "invalid_type"),
        ({"background": "no"}, "background", "invalid_type"),
        ({"tools": {}}, "tools", "invalid_type"),
        ({"tools": [5]}, "tools[0]", "invalid_type"),
        ({"tools": [{}]}, "tools[0].type", "missing_required_parameter"),
        ({"tools": [{"type": "function", "name": "f f"}]}, "tools[0].name", "invalid_value"),
        ({"tools": [{"type": "function"}]}, "tools[0].name", "invalid_value"),
        (
            {"tools": [{"type": "function", "function": {"name": "f"}}]},
            "tools[0].name",
            "missing_required_parameter",
        ),
        (
            {"tools": [{"type": "function", "name": "f", "parameters": 5}]},
            "tools[0].parameters",
            "invalid_type",
        ),
        ({"tool_choice": 5}, "tool_choice", "invalid_type"),
        ({"parallel_tool_calls": "x"}, "parallel_tool_calls", "invalid_type"),
        ({"reasoning": "high"}, "reasoning", "invalid_type"),
        ({"reasoning": {"effort": 5}}, "reasoning.effort", "invalid_type"),
        (
            {"text": {"format": {"type": "json_schema", "name": "a b"}}},
            "text.format.name",
            "invalid_value",
        ),
        ({"metadata": {"a": 1}}, "metadata.a", "invalid_type"),
        ({"metadata": {"a": "x" * 513}}, "metadata.a", "string_above_max_length"),
        ({"metadata": {"a" * 65: "x"}}, "metadata." + "a" * 65, "string_above_max_length"),
        ({"metadata": {str(n): "v" for n in range(17)}}, "metadata", "object_above_max_properties"),
        ({"metadata": []}, "metadata", "invalid_type"),
        ({"conversation": 5}, "conversation", "invalid_type"),
        ({"conversation": {}}, "conversation.id", "missing_required_parameter"),
        (
            {"conversation": "c", "previous_response_id": "r"},
            "previous_response_id",
            "mutually_exclusive_parameters",
        ),
        ({"previous_response_id": 5}, "previous_response_id", "invalid_type"),
        ({"include": "x"}, "include", "invalid_type"),
        ({"include": ["a", 5]}, "include[1]", "invalid_type"),
        ({"prompt": {}}, "prompt.id", "missing_required_parameter"),
        ({"context_management": []}, "context_management", "array_below_min_length"),
        (
            {"context_management": [{"type": "compaction", "compact_threshold": 999}]},
            "context_management[0].compact_threshold",
            "integer_below_min_value",
        ),
        ({"moderation": {}}, "moderation.model", "missing_required_parameter"),
        (
            {"background_options": {"completion_window": "2h"}},
            "background_options.completion_window",
            "invalid_value",
        ),
        ({"user": 5}, "user", "invalid_type"),
    ],
    ids=str,
)
def test_the_error_names_the_field(fields, param, code):
    with pytest.raises(InvalidRequest) as error:
        parse(**fields)
    assert (error.value.param, error.value.code) == (param, code)


def test_only_the_first_fault_of_a_list_is_reported():
    with pytest.raises(InvalidRequest) as error:
        parse(input=[{}, 0, {"type": 5}])
    assert error.value.param == "input[1]"


def test_an_error_never_contains_the_input():
    with pytest.raises(InvalidRequest) as error:
        parse(instructions=["a secret of the caller"])
    assert "secret" not in str(error.value)


def test_what_chat_completions_writes_otherwise_is_shown_as_it_is_written_here():
    tool = {"type": "function", "function": {"name": "f", "parameters": {}}}
    with pytest.raises(
        InvalidRequest, match=r"Missing required parameter: 'tools\[1\].name'"
    ) as error:
        parse(tools=["auto", tool])
    assert '{"type": "function", "name": "...", "parameters": {...}}' in str(error.value)
    with pytest.raises(InvalidRequest, match="Missing required parameter: 'input'") as error:
        parse(input=None, messages=[{"role": "user", "content": "x"}])
    assert "as 'input', to client.responses.create" in str(error.value)
