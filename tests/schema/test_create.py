"""POST /responses: bodies that are accepted, and what is read from them."""

import json
import re
from typing import get_args, get_type_hints

import pytest
from openai.types.responses import ResponseInputItemParam

from antiphon.schema.create import CreateResponse

OK = {"model": "gpt-5", "input": "x"}


def item_types():
    """The types of items that the SDK knows, but for those that have a name or no id."""
    for item in get_args(ResponseInputItemParam):
        name = re.search(r"Literal\['(\w+)'\]", str(get_type_hints(item)["type"]))[1]
        if "id" in get_type_hints(item) and name != "function_call":
            yield name


def parse(**fields):
    return CreateResponse.parse(json.dumps({**OK, **fields}).encode())


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"input": []},
        {"input": [{"role": "user", "content": "x"}]},
        {
            "input": [
                {
                    "type": "message",
                    "role": "user",
                    "content": [{"type": "input_text", "text": "x"}],
                }
            ]
        },
        {"input": [{"type": "brand_new_item", "anything": [1]}]},
        {"input": [{"type": "message", "id": "msg_1a2b-3c4d", "role": "assistant", "content": []}]},
        {"input": [{"type": "mcp_call", "name": "any name at all", "call_id": "c"}]},
        {"temperature": 0},
        {"temperature": 2},
        {"temperature": None},
        {"top_p": 1.0},
        {"top_logprobs": 20},
        {"top_logprobs": 3.0},
        {"max_output_tokens": 1},
        {"max_tokens": 5},
        {"max_tool_calls": 0},
        {"metadata": {"Model": "a key of the caller's own"}},
        {"tools": [{"type": "function", "name": "f", "parameters": {"Type": "object"}}]},
        {"stream": True, "stream_options": {"include_obfuscation": False}},
        {"stream_options": None},
        {"tools": ["web_search", {"type": "brand_new_tool", "x": 1}]},
        {"tools": []},
        {"tools": [{"type": "function", "name": "f-1_A", "parameters": None, "strict": None}]},
        {"tool_choice": "auto"},
        {"tool_choice": {"type": "function", "name": "f"}},
        {"reasoning": {"effort": "brand-new", "summary": "auto"}},
        {"modalities": ["audio"]},
        {"text": {"format": {"type": "json_schema", "name": "a-b_C1", "schema": {"$schema": "x"}}}},
        {"metadata": {str(n): "v" for n in range(16)}},
        {"metadata": {"k" * 64: "v" * 512}},
        {"conversation": "conv_1"},
        {"conversation": {"id": "conv_1"}},
        {"previous_response_id": "resp_1"},
        {"include": []},
        {"include": ["brand.new"]},
        {"service_tier": "ultrafast"},
        {"truncation": "auto"},
        {"background": True},
        {"context_management": [{"type": "compaction", "compact_threshold": 1000}]},
        {"prompt": {"id": "pmpt_1", "version": "2", "variables": {"a": "b"}}},
        {"prompt_cache_options": {"ttl": "12h", "prewarm": True}},
        {"background": True, "background_options": {"completion_window": "8h"}},
        {"client_metadata": {"a": [1, {"b": None}]}, "extra_body": 5},
    ],
    ids=str,
)
def test_it_is_accepted(fields):
    parse(**fields)


@pytest.mark.parametrize(
    "fields",
    [
        {"prompt": {"id": "p"}},
        {"model": "m", "prompt": {"id": "p"}},
        {"model": "m", "conversation": "c"},
        {"model": "m", "previous_response_id": "r"},
    ],
    ids=str,
)
def test_model_and_input_may_come_from_a_prompt_or_parent(fields):
    CreateResponse.parse(json.dumps(fields).encode())


def test_references_to_stored_items_are_found_with_and_without_a_type():
    items = [
        {"role": "user", "content": "x"},
        {"type": "item_reference", "id": "msg_1"},
        {"id": "rs_1"},
    ]
    assert list(parse(input=items).references) == [
        ("input[1].id", "item", "msg_1"),
        ("input[2].id", "item", "rs_1"),
    ]


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"status": "completed"},
        {"content": None, "encrypted_content": None},
        {"content": [], "encrypted_content": ""},
        {"content": []} | dict.fromkeys(["action", "queries", "results", "outputs", "output"]),
    ],
    ids=str,
)
def test_an_item_that_has_nothing_but_an_id_is_a_reference(more):
    for type in (None, *item_types(), "item_reference", "brand_new_item"):
        item = {"type": type, "id": "x_1", **more}
        fields = CreateResponse.of({**OK, "input": [item]})
        assert list(fields.references) == [("input[0].id", "item", "x_1")], type


def test_max_tokens_is_renamed_and_the_header_names_it():
    body = parse(max_tokens=7)
    assert body.body_for(b'{"max_tokens": 7}', None) == b'{"max_output_tokens": 7}'
    assert body.rewrites == {"x-antiphon-rewrote": "max_tokens=max_output_tokens"}
    assert parse().rewrites == {}


@pytest.mark.parametrize(
    "item",
    [
        {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "gAAA"},
        {"type": "reasoning", "id": "rs_1", "summary": [], "content": [{"text": "x"}]},
        {"type": "reasoning", "id": "rs_1", "content": [{}], "encrypted_content": None},
        {"type": "compaction", "id": "cmp_1", "encrypted_content": "gAAA"},
        {
            "type": "web_search_call",
            "id": "ws_1",
            "status": "completed",
            "action": {"type": "open"},
        },
        {"type": "image_generation_call", "id": "ig_1", "result": "iVBO"},
        {"type": "message", "id": "msg_1", "role": "assistant", "content": []},
        {"type": "brand_new_call", "id": "x_1", "anything": 1},
        {"type": "brand_new_call", "id": "x_1", "anything": 0},
        {"type": "brand_new_call", "id": "x_1", "anything": False},
        {"role": "user", "content": "x"},
    ],
)
def test_a_complete_item_is_not_a_reference(item):
    assert list(parse(input=[item]).references) == []
