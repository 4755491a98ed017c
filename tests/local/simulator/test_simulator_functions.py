"""Function calls, and JSON that is valid for a schema."""

import enum
import json
from typing import Annotated, Literal

import pytest
from pydantic import BaseModel, Field

from infra.local.simulator.errors import ApiError
from infra.local.simulator.schema_values import build_value
from tests.local.simulator.reply import check_events, send_create
from tests.support.lazy import LazyModule

jsonschema = LazyModule("jsonschema")
WEATHER = {
    "type": "function",
    "name": "get_weather",
    "parameters": {
        "type": "object",
        "properties": {"city": {"type": "string"}, "days": {"type": "integer", "minimum": 3}},
        "required": ["city", "days"],
        "additionalProperties": False,
    },
    "strict": True,
}
CLOCK = {"type": "function", "name": "get_time", "parameters": None, "strict": False}
TOOLS = [WEATHER, CLOCK]


@pytest.mark.parametrize(
    ("choice", "text", "called"),
    [
        ("auto", "Hello", None),
        ("auto", "Please use get_time", "get_time"),
        ("none", "Please use get_time", None),
        ("required", "Hello", "get_weather"),
        ("required", "Now get_time", "get_time"),
        ({"type": "function", "name": "get_time"}, "Hello", "get_time"),
        (
            {"type": "allowed_tools", "mode": "required", "tools": [{"name": "get_time"}]},
            "Hello",
            "get_time",
        ),
        (
            {"type": "allowed_tools", "mode": "auto", "tools": [{"name": "get_weather"}]},
            "get_time",
            None,
        ),
    ],
)
def test_a_function_is_called_as_tool_choice_requires(client, choice, text, called):
    response = client.responses.create(model="gpt-4.1", input=text, tools=TOOLS, tool_choice=choice)
    calls = [item.name for item in response.output if item.type == "function_call"]
    assert calls == ([called] if called else [])


def test_arguments_are_valid_and_the_output_is_repeated(client):
    messages = [{"role": "user", "content": "get_weather, please"}]
    call = client.responses.create(model="gpt-4.1", input=messages, tools=TOOLS).output[0]
    jsonschema.validate(json.loads(call.arguments), WEATHER["parameters"])
    output = {"type": "function_call_output", "call_id": call.call_id, "output": "sunny"}
    answer = client.responses.create(
        model="gpt-4.1",
        input=[*messages, call.to_dict(), output],
        tools=TOOLS,
        tool_choice="required",
    )
    assert answer.output_text == "The tool answered: sunny"


def test_a_function_call_is_streamed_in_the_events_of_openai(simulator):
    reply = send_create(simulator, stream=True, tools=[WEATHER], tool_choice="required")
    check_events(reply.events)
    added, *deltas, done, item = reply.events[2:-1]
    assert added["item"]["arguments"] == ""
    arguments = "".join(event["delta"] for event in deltas)
    assert arguments == done["arguments"] == item["item"]["arguments"]
    assert {event["type"] for event in deltas} == {"response.function_call_arguments.delta"}


class Colour(enum.Enum):
    RED = "red"
    BLUE = "blue"


class Leaf(BaseModel):
    kind: Literal["leaf"]
    weight: Annotated[float, Field(gt=0, lt=1)]
    even: Annotated[int, Field(ge=0, le=100, multiple_of=2)]


class Tree(BaseModel):
    name: str
    colour: Colour
    leaf: Leaf
    leaves: list[Leaf]
    others: Annotated[list[str], Field(min_length=2)]
    pair: tuple[int, str]
    ripe: bool
    note: str | None
    either: int | Leaf
    parent: "Tree | None"


def test_the_sdk_parses_a_model(client):
    response = client.responses.parse(model="gpt-5", input="A tree", text_format=Tree)
    tree = response.output_parsed
    assert (tree.colour, tree.note, len(tree.others)) == (Colour.RED, "note", 2)
    assert tree.parent.parent.name == "name"


def test_the_sdk_parses_a_streamed_model(client):
    with client.responses.stream(model="gpt-4.1", input="A leaf", text_format=Leaf) as stream:
        assert stream.get_final_response().output_parsed.kind == "leaf"


def test_json_output_without_a_schema_is_an_object(client):
    response = client.responses.create(
        model="gpt-4.1", input="JSON", text={"format": {"type": "json_object"}}
    )
    assert json.loads(response.output_text) == {"answer": "You said: JSON"}


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "string", "minLength": 20, "maxLength": 21},
        {"type": "string", "format": "date-time"},
        {"type": "string", "maxLength": 2},
        {"type": "integer", "exclusiveMinimum": 5, "exclusiveMaximum": 7},
        {"type": "integer", "minimum": -9, "maximum": -3},
        {"type": "integer", "minimum": 0, "maximum": 1},
        {"type": "number", "maximum": -3.5},
        {"type": "number", "exclusiveMinimum": 40},
        {"type": "integer", "multipleOf": 7, "minimum": 1},
        {"type": ["null", "integer"]},
        {"type": "null"},
        {"const": {"a": 1}},
        {"enum": [3, 4]},
        {"type": "array", "items": {"type": "boolean"}, "minItems": 3},
        {"type": "array", "maxItems": 0, "items": {"type": "string"}},
        {"type": "array", "prefixItems": [{"type": "integer"}], "minItems": 2},
        {"type": "object", "properties": {"a": {"type": "object"}}, "required": ["a"]},
        {"oneOf": [{"type": "null"}, {"type": "string"}]},
        {
            "$defs": {
                "a/b": {"type": "integer"},
                "c": {"properties": {"x": {"$ref": "#/$defs/a~1b"}}},
            },
            "allOf": [
                {"$ref": "#/$defs/c"},
                {"type": "object", "properties": {"y": {"const": 2}}, "required": ["x", "y"]},
            ],
        },
    ],
)
def test_a_value_is_valid_for_its_schema(schema):
    jsonschema.validate(build_value(schema), schema)


@pytest.mark.parametrize("schema", [{"$ref": "#/$defs/none"}, {"type": "magic"}, {"type": 3}])
def test_an_invalid_schema_is_rejected(schema):
    with pytest.raises(ApiError, match="cannot be resolved"):
        build_value(schema)
