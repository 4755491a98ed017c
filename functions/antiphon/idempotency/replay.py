"""What a stream tells of each kind of output item, between the item's beginning and its end.

A stored response told again, as the stream of events that it came in.

Pure. Each text is one delta, for nothing tells in which pieces it came; what no response keeps
(partial images, padding, pace) is not told. Every client puts the same response together from it.
https://platform.openai.com/docs/api-reference/responses-streaming
"""

from collections.abc import Callable, Generator, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from antiphon import sse

type Json = Mapping[str, Any]
type Events = Iterator[Json]

TEXT_FIELDS = {
    "output_text": "text",
    "refusal": "refusal",
    "reasoning_text": "text",
}  # by kind of part
MAY_FAIL = {"mcp_call", "mcp_list_tools"}  # whose failure has an event of its own


@dataclass(frozen=True)
class ItemKind:
    """`inner` gives events without their `response.`, the item's id and its place."""

    inner: Callable[[Json], Events]
    later: Json  # what those events bring, as it is before they do

    def begun(self, item: Json) -> Json:
        """The item as it is when it is added."""
        status = {"status": "in_progress"} if item.get("status") else {}
        return {**item, **_emptied(item, self.later), **status}


def kind_of(item: Json) -> ItemKind:
    """Items of unknown kinds, or without an id that events could name, are told in one piece."""
    known = KINDS.get(str(item.get("type")), OPAQUE)
    return known if isinstance(item.get("id"), str) else OPAQUE


def _emptied(told: Json, later: Json) -> Json:
    return {name: nothing for name, nothing in later.items() if told.get(name)}


def _no_events(_: Json) -> Events:
    yield from ()


def _content_events(item: Json) -> Events:
    for index, part in enumerate(item.get("content") or ()):
        at = {"content_index": index}
        field = TEXT_FIELDS.get(str(part.get("type")), "")
        speaks = isinstance(part.get(field), str)
        empty = _emptied(part, {field: "", "annotations": [], "logprobs": []} if speaks else {})
        yield {"type": "content_part.added", **at, "part": {**part, **empty}}
        for event in _part_events(part, field) if speaks else ():
            yield {**event, **at}
        yield {"type": "content_part.done", **at, "part": part}


def _part_events(part: Json, field: str) -> Events:
    name = part["type"]
    more = {"logprobs": part.get("logprobs") or []} if name == "output_text" else {}
    yield from _delta_event(name, part[field], more)
    for index, annotation in enumerate(part.get("annotations") or ()):
        about = {"annotation_index": index, "annotation": annotation}
        yield {"type": f"{name}.annotation.added", **about}
    yield {"type": f"{name}.done", field: part[field], **more}


def _reasoning_events(item: Json) -> Events:
    for index, part in enumerate(item.get("summary") or ()):
        at = {"summary_index": index}
        yield {"type": "reasoning_summary_part.added", **at, "part": {**part, "text": ""}}
        yield from _delta_event("reasoning_summary_text", part["text"], at)
        yield {"type": "reasoning_summary_text.done", **at, "text": part["text"]}
        yield {"type": "reasoning_summary_part.done", **at, "part": part}
    yield from _content_events(item)


def _delta_event(name: str, text: str, more: Json) -> Events:
    if text:
        yield {"type": f"{name}.delta", "delta": text, **more}


def _call_events(told: str) -> Callable[[Json], Events]:
    """A word is how far a call is; `=member` is a text of it, in a delta and then done."""

    def inner(item: Json) -> Events:
        for step in told.split():
            _, is_text, member = step.partition("=")
            yield from _text_events(member, item) if is_text else _step_event(step, item)

    return inner


def _text_events(member: str, item: Json) -> Events:
    name, text = f"{item['type']}_{member}", item.get(member)
    if isinstance(text, str):
        yield from _delta_event(name, text, {})
        called = {"name": item["name"]} if item["type"] == "function_call" else {}
        yield {"type": f"{name}.done", **called, member: text}


def _step_event(step: str, item: Json) -> Events:
    """A step of a call's; what did not end well is not told to be completed."""
    failed = item.get("error") or item.get("status") == "failed"
    if step != "completed" or (not failed and item.get("status") in {None, "completed"}):
        yield {"type": f"{item['type']}.{step}"}
    elif failed and item["type"] in MAY_FAIL:
        yield {"type": f"{item['type']}.failed"}


OPAQUE = ItemKind(_no_events, {})
KINDS: Mapping[str, ItemKind] = {
    "message": ItemKind(_content_events, {"content": []}),
    "reasoning": ItemKind(_reasoning_events, {"summary": [], "content": []}),
    "function_call": ItemKind(_call_events("=arguments"), {"arguments": ""}),
    "custom_tool_call": ItemKind(_call_events("=input"), {"input": ""}),
    "mcp_call": ItemKind(
        _call_events("in_progress =arguments completed"),
        {"arguments": "", "output": None, "error": None},
    ),
    "mcp_list_tools": ItemKind(_call_events("in_progress completed"), {"tools": [], "error": None}),
    "code_interpreter_call": ItemKind(
        _call_events("in_progress =code interpreting completed"), {"code": "", "outputs": None}
    ),
    "file_search_call": ItemKind(
        _call_events("in_progress searching completed"), {"results": None}
    ),
    "web_search_call": ItemKind(_call_events("in_progress searching completed"), {}),
    "image_generation_call": ItemKind(
        _call_events("in_progress generating completed"), {"result": None}
    ),
    "compaction": ItemKind(_call_events("compacting"), {"encrypted_content": ""}),
}


SET_AT_END = ("completed_at", "error", "incomplete_details", "usage")
TERMINAL_STATUSES = ("completed", "incomplete")


def replay_events(response: Json) -> Generator[bytes]:
    """Every event of a response that has ended, numbered from 0."""
    for number, event in enumerate(_event_objects(response)):
        yield sse.encode_event({"type": event["type"], "sequence_number": number, **event})


def _event_objects(response: Json) -> Events:
    begun = _initial_response(response)
    yield {"type": "response.created", "response": begun}
    yield {"type": "response.in_progress", "response": begun}
    for index, item in enumerate(response.get("output") or ()):
        yield from _item_events(index, item)
    # There is no event for `cancelled`: the one that no client takes for an answer stands for it.
    status = response.get("status", "completed")
    ending = status if status in TERMINAL_STATUSES else "failed"
    yield {"type": f"response.{ending}", "response": response}


def _initial_response(response: Json) -> Json:
    """The response as it was before it had said anything."""
    nothing = {name: None for name in SET_AT_END if name in response}
    return {**response, **nothing, "status": "in_progress", "output": []}


def _item_events(index: int, item: Json) -> Events:
    kind, place = kind_of(item), {"output_index": index}
    yield {"type": "response.output_item.added", **place, "item": kind.begun(item)}
    for event in kind.inner(item):
        yield {**event, "type": f"response.{event['type']}", "item_id": item["id"], **place}
    yield {"type": "response.output_item.done", **place, "item": item}
