"""Builds the stream events of one output item, from `added` to `done`."""

from collections.abc import Callable, Iterator

from infra.local.simulator.items import Json, split_deltas

type Events = Iterator[Json]

_PARTS = {"output_text": "text", "refusal": "refusal"}  # the key of the text, by type of part


def build_item_events(index: int, item: Json, partial_images: int = 0) -> Events:
    """Yields the events of an item; `partial_images` of them come before each whole image."""
    position = {"item_id": item["id"], "output_index": index}
    empty, events = _ITEM_EVENTS[item["type"]]
    added = {"status": "in_progress"} if "status" in item else {}
    yield _build_event("output_item.added", output_index=index, item={**item, **added, **empty})
    for event in events(item, position):
        if event["type"] == "response.image_generation_call.completed":
            yield from _partial_image_events(item, position, partial_images)
        yield event
    yield _build_event("output_item.done", output_index=index, item=item)


def _message_events(item: Json, position: Json) -> Events:
    for index, part in enumerate(item["content"]):
        part_position = {**position, "content_index": index}
        name, key = part["type"], _PARTS[part["type"]]
        empty: Json = {name: [] for name in ("annotations", "logprobs") if part.get(name)}
        added = {**part, **empty, key: ""}
        yield _build_event("content_part.added", **part_position, part=added)
        for number, delta in enumerate(split_deltas(part[key])):
            extra = _logprobs(part, slice(number, number + 1))
            yield _build_event(f"{name}.delta", **part_position, delta=delta, **extra)
        for number, annotation in enumerate(part.get("annotations") or []):
            place = {**part_position, "annotation_index": number}
            yield _build_event(f"{name}.annotation.added", **place, annotation=annotation)
        extra = _logprobs(part, slice(None))
        yield _build_event(f"{name}.done", **part_position, **{key: part[key]}, **extra)
        yield _build_event("content_part.done", **part_position, part=part)


def _logprobs(part: Json, tokens: slice) -> Json:
    """Returns the log probabilities of some tokens; only text has the field."""
    is_text = part["type"] == "output_text"
    return {"logprobs": (part.get("logprobs") or [])[tokens]} if is_text else {}


def _reasoning_events(item: Json, position: Json) -> Events:
    for index, part in enumerate(item["summary"]):
        part_position = {**position, "summary_index": index}
        yield _build_event(
            "reasoning_summary_part.added", **part_position, part={**part, "text": ""}
        )
        for delta in split_deltas(part["text"]):
            yield _build_event("reasoning_summary_text.delta", **part_position, delta=delta)
        yield _build_event("reasoning_summary_text.done", **part_position, text=part["text"])
        yield _build_event("reasoning_summary_part.done", **part_position, part=part)


def _function_call_events(item: Json, position: Json) -> Events:
    for delta in split_deltas(item["arguments"]):
        yield _build_event("function_call_arguments.delta", **position, delta=delta)
    yield _build_event(
        "function_call_arguments.done", **position, name=item["name"], arguments=item["arguments"]
    )


def _custom_tool_call_events(item: Json, position: Json) -> Events:
    for delta in split_deltas(item["input"]):
        yield _build_event("custom_tool_call_input.delta", **position, delta=delta)
    yield _build_event("custom_tool_call_input.done", **position, input=item["input"])


def _mcp_call_events(item: Json, position: Json) -> Events:
    yield _build_event("mcp_call.in_progress", **position)
    for delta in split_deltas(item["arguments"]):
        yield _build_event("mcp_call_arguments.delta", **position, delta=delta)
    yield _build_event("mcp_call_arguments.done", **position, arguments=item["arguments"])
    yield _build_event(f"mcp_call.{item['status']}", **position)


def _state_events(*states: str) -> Callable[[Json, Json], Events]:
    """Returns the events of a call that has only states."""

    def events(item: Json, position: Json) -> Events:
        for state in states:
            yield _build_event(f"{item['type']}.{state}", **position)

    return events


def _partial_image_events(item: Json, position: Json, count: int) -> Events:
    shape = {name: item[name] for name in ("size", "quality", "background", "output_format")}
    for index in range(count):
        place = {**position, "partial_image_index": index, "partial_image_b64": item["result"]}
        yield _build_event("image_generation_call.partial_image", **place, **shape)


def _code_interpreter_events(item: Json, position: Json) -> Events:
    yield _build_event("code_interpreter_call.in_progress", **position)
    for delta in split_deltas(item["code"]):
        yield _build_event("code_interpreter_call_code.delta", **position, delta=delta)
    yield _build_event("code_interpreter_call_code.done", **position, code=item["code"])
    yield _build_event("code_interpreter_call.interpreting", **position)
    yield _build_event("code_interpreter_call.completed", **position)


def _shell_events(item: Json, position: Json) -> Events:
    for index, command in enumerate(item["action"]["commands"]):
        place = {"output_index": position["output_index"], "command_index": index}
        yield _build_event("shell_call_command.added", **place, command="")
        for delta in split_deltas(command):
            yield _build_event("shell_call_command.delta", **place, delta=delta)
        yield _build_event("shell_call_command.done", **place, command=command)


def _shell_output_events(item: Json, position: Json) -> Events:
    for index, output in enumerate(item["output"]):
        place = {**position, "command_index": index}
        delta = {"stdout": output["stdout"]}
        yield _build_event("shell_call_output_content.delta", **place, delta=delta)
        yield _build_event("shell_call_output_content.done", **place, output=[output])


def _build_event(name: str, /, **fields: object) -> Json:
    return {"type": f"response.{name}", **fields}


# By item type: the empty fields at first, and the events until it is complete.
_ITEM_EVENTS: dict[str, tuple[Json, Callable[[Json, Json], Events]]] = {
    "message": ({"content": []}, _message_events),
    "reasoning": ({"summary": []}, _reasoning_events),
    "function_call": ({"arguments": ""}, _function_call_events),
    "custom_tool_call": ({"input": ""}, _custom_tool_call_events),
    "tool_search_call": ({"arguments": {}}, _state_events()),
    "tool_search_output": ({"tools": []}, _state_events()),
    "mcp_list_tools": ({"tools": []}, _state_events("in_progress", "completed")),
    "mcp_call": ({"arguments": "", "output": None, "error": None}, _mcp_call_events),
    "mcp_approval_request": ({}, _state_events()),
    "web_search_call": ({}, _state_events("in_progress", "searching", "completed")),
    "image_generation_call": (
        {"result": None},
        _state_events("in_progress", "generating", "completed"),
    ),
    "local_shell_call": ({}, _state_events()),
    "apply_patch_call": ({}, _state_events()),
    "computer_call": ({}, _state_events()),
    "file_search_call": (
        {"results": None},
        _state_events("in_progress", "searching", "completed"),
    ),
    "code_interpreter_call": ({"code": "", "outputs": None}, _code_interpreter_events),
    "shell_call": ({}, _shell_events),
    "shell_call_output": ({"output": []}, _shell_output_events),
}
