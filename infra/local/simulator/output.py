"""Builds the output items of a response: text, function calls, JSON or a refusal."""

import json
from collections.abc import Callable
from itertools import cycle, islice

from infra.local.simulator.client_calls import call_any_function, choose_calls
from infra.local.simulator.hosted_tools import read_input_files, use_hosted_tools
from infra.local.simulator.items import (
    Json,
    build_message,
    build_reasoning,
    build_refusal,
    split_deltas,
)
from infra.local.simulator.logprobs import add_logprobs
from infra.local.simulator.request_body import MAX_METADATA_NUMBER, CreateRequest
from infra.local.simulator.schema_values import build_value

type OutputBuilder = Callable[[CreateRequest], list[Json]]

MAX_QUOTE = 400
FILLER = ("and", "so", "the", "answer", "goes", "on", "in", "words", "of", "no", "weight")
REASONING_SUMMARY = "**Reading the question**\n\nThe simulator repeats the input."
ENCRYPTED_CONTENT = "gAAAAABsaW11bGF0ZWQtcmVhc29uaW5n"
MULTIBYTE_TEXT = "One byte, two: é, three: €, four: 🎶."  # characters of every length in UTF-8


def default_output(request: CreateRequest) -> list[Json]:
    """Calls tools of the client if the request needs them, otherwise answers in text or JSON."""
    calls = choose_calls(request)
    if calls:
        return calls
    use = use_hosted_tools(request)
    if use.is_waiting:
        return use.items
    if request.format["type"] != "text":
        return [*use.items, *structured_output(request)]
    message = build_message(_apply_length(request, _describe_input(request)))
    return [*use.items, add_logprobs(use.add_to(message), request)]


def structured_output(request: CreateRequest) -> list[Json]:
    schema = request.format.get("schema") or {
        "properties": {"answer": {"const": _describe_input(request)}}
    }
    message = build_message(json.dumps(build_value(schema), ensure_ascii=False))
    return [add_logprobs(message, request)]


def function_output(request: CreateRequest) -> list[Json]:
    return default_output(request) if request.tool_outputs else call_any_function(request)


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
