"""What a stream tells of each kind of output item, between the item's beginning and its end."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

type Json = Mapping[str, Any]
type Events = Iterator[Json]

TEXTS = {"output_text": "text", "refusal": "refusal", "reasoning_text": "text"}  # by kind of part
MAY_FAIL = {"mcp_call", "mcp_list_tools"}  # whose failure has an event of its own


@dataclass(frozen=True)
class Kind:
    """`inner` gives events without their `response.`, the item's id and its place."""

    inner: Callable[[Json], Events]
    later: Json  # what those events bring, as it is before they do

    def begun(self, item: Json) -> Json:
        """The item as it is when it is added."""
        status = {"status": "in_progress"} if item.get("status") else {}
        return {**item, **_emptied(item, self.later), **status}


def kind_of(item: Json) -> Kind:
    """Items of unknown kinds, or without an id that events could name, are told in one piece."""
    known = KINDS.get(str(item.get("type")), OPAQUE)
    return known if isinstance(item.get("id"), str) else OPAQUE


def _emptied(told: Json, later: Json) -> Json:
    return {name: nothing for name, nothing in later.items() if told.get(name)}


def _nothing(_: Json) -> Events:
    yield from ()


def _content(item: Json) -> Events:
    for index, part in enumerate(item.get("content") or ()):
        at = {"content_index": index}
        field = TEXTS.get(str(part.get("type")), "")
        speaks = isinstance(part.get(field), str)
        empty = _emptied(part, {field: "", "annotations": [], "logprobs": []} if speaks else {})
        yield {"type": "content_part.added", **at, "part": {**part, **empty}}
        for event in _spoken(part, field) if speaks else ():
            yield {**event, **at}
        yield {"type": "content_part.done", **at, "part": part}


def _spoken(part: Json, field: str) -> Events:
    name = part["type"]
    more = {"logprobs": part.get("logprobs") or []} if name == "output_text" else {}
    yield from _delta(name, part[field], more)
    for index, annotation in enumerate(part.get("annotations") or ()):
        about = {"annotation_index": index, "annotation": annotation}
        yield {"type": f"{name}.annotation.added", **about}
    yield {"type": f"{name}.done", field: part[field], **more}


def _reasoning(item: Json) -> Events:
    for index, part in enumerate(item.get("summary") or ()):
        at = {"summary_index": index}
        yield {"type": "reasoning_summary_part.added", **at, "part": {**part, "text": ""}}
        yield from _delta("reasoning_summary_text", part["text"], at)
        yield {"type": "reasoning_summary_text.done", **at, "text": part["text"]}
        yield {"type": "reasoning_summary_part.done", **at, "part": part}
    yield from _content(item)


def _delta(name: str, text: str, more: Json) -> Events:
    if text:
        yield {"type": f"{name}.delta", "delta": text, **more}


def _steps(told: str) -> Callable[[Json], Events]:
    """A word is how far a call is; `=member` is a text of it, in a delta and then done."""

    def inner(item: Json) -> Events:
        for step in told.split():
            _, is_text, member = step.partition("=")
            yield from _typed(member, item) if is_text else _reached(step, item)

    return inner


def _typed(member: str, item: Json) -> Events:
    name, text = f"{item['type']}_{member}", item.get(member)
    if isinstance(text, str):
        yield from _delta(name, text, {})
        called = {"name": item["name"]} if item["type"] == "function_call" else {}
        yield {"type": f"{name}.done", **called, member: text}


def _reached(step: str, item: Json) -> Events:
    """A step of a call's; what did not end well is not told to be completed."""
    failed = item.get("error") or item.get("status") == "failed"
    if step != "completed" or (not failed and item.get("status") in {None, "completed"}):
        yield {"type": f"{item['type']}.{step}"}
    elif failed and item["type"] in MAY_FAIL:
        yield {"type": f"{item['type']}.failed"}


OPAQUE = Kind(_nothing, {})
KINDS: Mapping[str, Kind] = {
    "message": Kind(_content, {"content": []}),
    "reasoning": Kind(_reasoning, {"summary": [], "content": []}),
    "function_call": Kind(_steps("=arguments"), {"arguments": ""}),
    "custom_tool_call": Kind(_steps("=input"), {"input": ""}),
    "mcp_call": Kind(
        _steps("in_progress =arguments completed"), {"arguments": "", "output": None, "error": None}
    ),
    "mcp_list_tools": Kind(_steps("in_progress completed"), {"tools": [], "error": None}),
    "code_interpreter_call": Kind(
        _steps("in_progress =code interpreting completed"), {"code": "", "outputs": None}
    ),
    "file_search_call": Kind(_steps("in_progress searching completed"), {"results": None}),
    "web_search_call": Kind(_steps("in_progress searching completed"), {}),
    "image_generation_call": Kind(_steps("in_progress generating completed"), {"result": None}),
    "compaction": Kind(_steps("compacting"), {"encrypted_content": ""}),
}
