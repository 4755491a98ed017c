"""Builds and normalizes items: the input of a request, and the output of a response."""

import re
from collections.abc import Iterable, Mapping, Sequence
from secrets import token_hex
from typing import Any

type Json = dict[str, Any]

DELTA = re.compile(r"\w+\W*|\W+")  # a word, and the characters up to the next word

PREFIXES: Mapping[str, str] = {
    "message": "msg",
    "reasoning": "rs",
    "function_call": "fc",
    "function_call_output": "fco",
    "custom_tool_call": "ctc",
    "custom_tool_call_output": "ctco",
    "compaction": "cmp",
    "tool_search_call": "tsc",
    "tool_search_output": "tso",
}
GENERATED_FIELDS = ("arguments", "input", "code")  # of calls
PART_DEFAULTS: Mapping[str, Json] = {
    "input_image": {"detail": "auto"},
    "output_text": {"annotations": [], "logprobs": []},
}


def new_id(prefix: str) -> str:
    return f"{prefix}_{token_hex(24)}"


def normalize_input(input_items: str | Sequence[Json]) -> list[Json]:
    """Gives every item a type and an id, and makes every message content a list of parts."""
    if isinstance(input_items, str):
        input_items = [{"role": "user", "content": input_items}]
    return [_normalize_item(item) for item in input_items]


def _normalize_item(item: Json) -> Json:
    kind = item.get("type") or "message"
    id = item.get("id") or new_id(PREFIXES.get(kind, "item"))
    if not isinstance(id, str) or not isinstance(kind, str):
        raise TypeError(item)
    normalized = {**item, "type": kind, "id": id}
    if kind == "message":
        normalized |= {"status": "completed", "content": _content_parts(item)}
    return normalized


def _content_parts(item: Json) -> list[Json]:
    content = item.get("content", "")
    if isinstance(content, str):
        kind = "output_text" if item.get("role") == "assistant" else "input_text"
        content = [{"type": kind, "text": content}]
    return [{**PART_DEFAULTS.get(part.get("type", ""), {}), **part} for part in content]


def build_message(text: str) -> Json:
    part = {"type": "output_text", "annotations": [], "logprobs": [], "text": text}
    return _build_message(part)


def build_refusal(text: str) -> Json:
    return _build_message({"type": "refusal", "refusal": text})


def _build_message(part: Json) -> Json:
    return {
        "id": new_id("msg"),
        "type": "message",
        "status": "completed",
        "content": [part],
        "role": "assistant",
    }


def build_function_call(name: str, arguments: str) -> Json:
    return {
        "id": new_id("fc"),
        "type": "function_call",
        "status": "completed",
        "arguments": arguments,
        "call_id": f"call_{token_hex(12)}",
        "name": name,
    }


def build_reasoning(summary: Iterable[str], encrypted: str | None) -> Json:
    parts = [{"type": "summary_text", "text": text} for text in summary]
    item = {"id": new_id("rs"), "type": "reasoning", "summary": parts}
    return item if encrypted is None else {**item, "encrypted_content": encrypted}


def item_text(item: Json) -> str:
    """Returns all text of an item."""
    output = item.get("output")
    if isinstance(output, str):
        return output
    results = output if isinstance(output, list) else []
    return " ".join([generated_text(item), *_part_texts(results)]).strip()


def generated_text(item: Json) -> str:
    """Returns what the model wrote of an item: not the output of a tool."""
    parts = _part_texts(item.get("content") or [])
    fields = [item.get(name) for name in GENERATED_FIELDS]
    return " ".join([*parts, *(text for text in fields if text and isinstance(text, str))])


def _part_texts(parts: Iterable[Json]) -> list[str]:
    return [part.get("text") or part.get("refusal") or part.get("stdout") or "" for part in parts]


def split_deltas(text: str) -> list[str]:
    """Splits a text into the texts of its deltas."""
    return DELTA.findall(text)
