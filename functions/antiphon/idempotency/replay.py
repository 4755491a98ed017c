"""A stored response as a stream of events, from which every client builds the same response.

Pure functions. Each text is one delta, because a stored response does not contain the original
deltas. What no response stores (partial images, padding, timing) is left out.
https://platform.openai.com/docs/api-reference/responses-streaming
"""

from collections.abc import Callable, Generator, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from antiphon import sse

type Json = Mapping[str, Any]
type Events = Iterator[Json]

# The field with the text of a content part, by the part's type.
TEXT_FIELDS = {"output_text": "text", "refusal": "refusal", "reasoning_text": "text"}
HAVE_FAILED_EVENT = {"mcp_call", "mcp_list_tools"}  # item types
SET_AT_END = ("completed_at", "error", "incomplete_details", "usage")  # fields of a response
TERMINAL_STATUSES = ("completed", "incomplete")  # statuses with a terminal event of their own


@dataclass(frozen=True)
class ItemKind:
    """The events between `response.output_item.added` and `response.output_item.done`.

    `events` yields them without the prefix `response.`, the item's id and its index.
    `initial`: values of the fields that these events fill, as the added item has them.
    """

    events: Callable[[Json], Events]
    initial: Json

    def initial_item(self, item: Json) -> Json:
        """Return the item as `response.output_item.added` has it."""
        status = {"status": "in_progress"} if item.get("status") else {}
        return {**item, **_initial_values(item, self.initial), **status}


def replay_events(response: Json) -> Generator[bytes]:
    """Yield every event of a response that has ended, numbered from 0."""
    for number, event in enumerate(_response_events(response)):
        yield sse.encode_event({"type": event["type"], "sequence_number": number, **event})


def _response_events(response: Json) -> Events:
    initial = _initial_response(response)
    yield {"type": "response.created", "response": initial}
    yield {"type": "response.in_progress", "response": initial}
    for index, item in enumerate(response.get("output") or ()):
        yield from _item_events(index, item)
    # `cancelled` has no event; no client takes `failed` for a complete answer.
    status = response.get("status", "completed")
    terminal = status if status in TERMINAL_STATUSES else "failed"
    yield {"type": f"response.{terminal}", "response": response}


def _initial_response(response: Json) -> Json:
    """Return the response as it was before it had any output."""
    unset = {name: None for name in SET_AT_END if name in response}
    return {**response, **unset, "status": "in_progress", "output": []}


def _item_events(index: int, item: Json) -> Events:
    kind, position = _kind_of(item), {"output_index": index}
    yield {"type": "response.output_item.added", **position, "item": kind.initial_item(item)}
    for event in kind.events(item):
        yield {**event, "type": f"response.{event['type']}", "item_id": item["id"], **position}
    yield {"type": "response.output_item.done", **position, "item": item}


def _kind_of(item: Json) -> ItemKind:
    """Items of unknown types, or without an id for events to refer to, have no inner events."""
    known = KINDS.get(str(item.get("type")), OPAQUE)
    return known if isinstance(item.get("id"), str) else OPAQUE


def _initial_values(value: Json, initial: Json) -> Json:
    """Return the initial values of those fields that have a value at the end."""
    return {name: empty for name, empty in initial.items() if value.get(name)}


def _no_events(_: Json) -> Events:
    yield from ()


def _content_events(item: Json) -> Events:
    for index, part in enumerate(item.get("content") or ()):
        position = {"content_index": index}
        field = TEXT_FIELDS.get(str(part.get("type")), "")
        has_text = isinstance(part.get(field), str)
        initial = {field: "", "annotations": [], "logprobs": []} if has_text else {}
        added = {**part, **_initial_values(part, initial)}
        yield {"type": "content_part.added", **position, "part": added}
        for event in _part_events(part, field) if has_text else ():
            yield {**event, **position}
        yield {"type": "content_part.done", **position, "part": part}


def _part_events(part: Json, field: str) -> Events:
    name = part["type"]
    logprobs = {"logprobs": part.get("logprobs") or []} if name == "output_text" else {}
    yield from _delta_event(name, part[field], logprobs)
    for index, annotation in enumerate(part.get("annotations") or ()):
        position = {"annotation_index": index}
        yield {"type": f"{name}.annotation.added", **position, "annotation": annotation}
    yield {"type": f"{name}.done", field: part[field], **logprobs}


def _reasoning_events(item: Json) -> Events:
    for index, part in enumerate(item.get("summary") or ()):
        position = {"summary_index": index}
        added = {**part, "text": ""}
        yield {"type": "reasoning_summary_part.added", **position, "part": added}
        yield from _delta_event("reasoning_summary_text", part["text"], position)
        yield {"type": "reasoning_summary_text.done", **position, "text": part["text"]}
        yield {"type": "reasoning_summary_part.done", **position, "part": part}
    yield from _content_events(item)


def _delta_event(name: str, text: str, fields: Json) -> Events:
    if text:
        yield {"type": f"{name}.delta", "delta": text, **fields}


def _call_events(*steps: str) -> Callable[[Json], Events]:
    """Return the events of a call; a step is a state of it, or `=field` for a text field."""

    def events(item: Json) -> Events:
        for step in steps:
            _, is_text, field = step.partition("=")
            yield from _text_events(field, item) if is_text else _state_event(step, item)

    return events


def _text_events(field: str, item: Json) -> Events:
    name, text = f"{item['type']}_{field}", item.get(field)
    if isinstance(text, str):
        yield from _delta_event(name, text, {})
        function = {"name": item["name"]} if item["type"] == "function_call" else {}
        yield {"type": f"{name}.done", **function, field: text}


def _state_event(state: str, item: Json) -> Events:
    """Yield the event of a state; `completed` only if the call did not fail."""
    has_failed = item.get("error") or item.get("status") == "failed"
    if state != "completed" or (not has_failed and item.get("status") in {None, "completed"}):
        yield {"type": f"{item['type']}.{state}"}
    elif has_failed and item["type"] in HAVE_FAILED_EVENT:
        yield {"type": f"{item['type']}.failed"}


OPAQUE = ItemKind(_no_events, {})
KINDS: Mapping[str, ItemKind] = {
    "message": ItemKind(_content_events, {"content": []}),
    "reasoning": ItemKind(_reasoning_events, {"summary": [], "content": []}),
    "function_call": ItemKind(_call_events("=arguments"), {"arguments": ""}),
    "custom_tool_call": ItemKind(_call_events("=input"), {"input": ""}),
    "mcp_call": ItemKind(
        _call_events("in_progress", "=arguments", "completed"),
        {"arguments": "", "output": None, "error": None},
    ),
    "mcp_list_tools": ItemKind(
        _call_events("in_progress", "completed"), {"tools": [], "error": None}
    ),
    "code_interpreter_call": ItemKind(
        _call_events("in_progress", "=code", "interpreting", "completed"),
        {"code": "", "outputs": None},
    ),
    "file_search_call": ItemKind(
        _call_events("in_progress", "searching", "completed"), {"results": None}
    ),
    "web_search_call": ItemKind(_call_events("in_progress", "searching", "completed"), {}),
    "image_generation_call": ItemKind(
        _call_events("in_progress", "generating", "completed"), {"result": None}
    ),
    "compaction": ItemKind(_call_events("compacting"), {"encrypted_content": ""}),
}
