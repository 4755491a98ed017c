"""Builds the output items of a response: text, function calls, JSON or a refusal."""

import json
import re
from collections.abc import Callable
from itertools import cycle, islice

from infra.local.simulator.hosted_tools import read_input_files, use_hosted_tools
from infra.local.simulator.items import (
    Json,
    build_function_call,
    build_message,
    build_reasoning,
    build_refusal,
)
from infra.local.simulator.request_body import MAX_METADATA_NUMBER, CreateRequest
from infra.local.simulator.schema_values import build_value

type OutputBuilder = Callable[[CreateRequest], list[Json]]

MAX_QUOTE = 400
DELTA = re.compile(r"\w+\W*|\W+")  # a word, and the characters up to the next word
FILLER = ("and", "so", "the", "answer", "goes", "on", "in", "words", "of", "no", "weight")
REASONING_SUMMARY = "**Reading the question**\n\nThe simulator repeats the input."
ENCRYPTED_CONTENT = "gAAAAABsaW11bGF0ZWQtcmVhc29uaW5n"
MULTIBYTE_TEXT = "One byte, two: é, three: €, four: 🎶."  # characters of every length in UTF-8

type FunctionChooser = Callable[[CreateRequest, list[Json], Json], Json | None]

WEATHER_FUNCTION: Json = {
    "type": "function",
    "name": "get_weather",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
}


def default_output(request: CreateRequest) -> list[Json]:
    """Calls a function if the request needs one, otherwise answers in text or JSON."""
    tool = choose_function(request)
    if tool:
        return [call_function(tool)]
    use = use_hosted_tools(request)
    if request.format["type"] != "text":
        return [*use.items, *structured_output(request)]
    message = build_message(_apply_length(request, _describe_input(request)))
    return [*use.items, use.add_to(message)]


def structured_output(request: CreateRequest) -> list[Json]:
    schema = request.format.get("schema") or {
        "properties": {"answer": {"const": _describe_input(request)}}
    }
    return [build_message(json.dumps(build_value(schema), ensure_ascii=False))]


def function_output(request: CreateRequest) -> list[Json]:
    return (
        default_output(request)
        if request.tool_outputs
        else [call_function(choose_any_function(request))]
    )


def refusal_output(_request: CreateRequest) -> list[Json]:
    return [build_refusal("I'm sorry, but I can't help with that.")]


def reasoning_output(request: CreateRequest) -> list[Json]:
    return [reasoning_item([REASONING_SUMMARY], request), *default_output(request)]


def reasoning_item(summary: list[str], request: CreateRequest) -> Json:
    """Returns the reasoning item that comes before the answer of a reasoning model."""
    return build_reasoning(summary, ENCRYPTED_CONTENT if request.has_encrypted_reasoning else None)


def multibyte_output(request: CreateRequest) -> list[Json]:
    return [build_message(f"{_describe_input(request)} {MULTIBYTE_TEXT}")]


def long_output(count: int) -> OutputBuilder:
    """Returns a builder of text with `count` deltas."""
    return lambda request: [
        build_message(
            extend_text(_describe_input(request), request.metadata_number("sim_events") or count)
        )
    ]


def split_deltas(text: str) -> list[str]:
    """Splits a text into the texts of its deltas."""
    return DELTA.findall(text)


def extend_text(text: str, count: int) -> str:
    """Extends or shortens the text to `count` deltas."""
    whole = split_deltas(text + " ")
    missing = max(min(count, MAX_METADATA_NUMBER) - len(whole), 0)
    return "".join([*whole[:count], *(f"{word} " for word in islice(cycle(FILLER), missing))])


def _apply_length(request: CreateRequest, text: str) -> str:
    count = request.metadata_number("sim_events")
    return extend_text(text, count) if count else text


def _describe_input(request: CreateRequest) -> str:
    if request.tool_outputs:
        return f"The tool answered: {_quote(request.tool_outputs[-1])}"
    if not request.user_texts:
        return "There is no input yet."
    *before, last = request.user_texts
    description = f"You said: {_quote(last)}"
    for name, text in read_input_files(request):
        description += f" The file {name} has: {_quote(text)}"
    if not before:
        return description
    return f"{description} (Turn {len(before) + 1}; before that you said: {_quote(before[-1])})"


def _quote(text: str) -> str:
    return text if len(text) <= MAX_QUOTE else f"{text[:MAX_QUOTE]}…"


def choose_function(request: CreateRequest) -> Json | None:
    """Chooses the function to call; None without functions, or after a tool output."""
    functions = [tool for tool in request.tools if tool.get("type") == "function"]
    if not functions or request.tool_outputs:
        return None
    choice = request.body.get("tool_choice") or "auto"
    choice = {"type": choice} if isinstance(choice, str) else choice
    return FUNCTION_CHOOSERS.get(choice.get("type", ""), _mentioned_function)(
        request, functions, choice
    )


def choose_any_function(request: CreateRequest) -> Json:
    """Chooses a function even if the request does not need one."""
    functions = [tool for tool in request.tools if tool.get("type") == "function"]
    return choose_function(request) or (functions or [WEATHER_FUNCTION])[0]


def call_function(tool: Json) -> Json:
    arguments = json.dumps(build_value(tool.get("parameters") or {"type": "object"}))
    return build_function_call(tool["name"], arguments)


def _mentioned_function(
    request: CreateRequest, functions: list[Json], _choice: Json
) -> Json | None:
    text = "".join(request.user_texts[-1:])
    return next((tool for tool in functions if tool["name"] in text), None)


def _required_function(request: CreateRequest, functions: list[Json], choice: Json) -> Json | None:
    return _mentioned_function(request, functions, choice) or functions[0]


def _named_function(_request: CreateRequest, functions: list[Json], choice: Json) -> Json | None:
    return next((tool for tool in functions if tool["name"] == choice.get("name")), None)


def _allowed_function(request: CreateRequest, functions: list[Json], choice: Json) -> Json | None:
    names = [tool.get("name") for tool in choice.get("tools", [])]
    allowed = [tool for tool in functions if tool["name"] in names]
    if not allowed:
        return None
    choose = _required_function if choice.get("mode") == "required" else _mentioned_function
    return choose(request, allowed, choice)


def _no_function(_request: CreateRequest, _functions: list[Json], _choice: Json) -> None:
    return None


FUNCTION_CHOOSERS: dict[str, FunctionChooser] = {
    "required": _required_function,
    "function": _named_function,
    "allowed_tools": _allowed_function,
    "none": _no_function,
}
