"""Builds the stream events of one output item, from `added` to `done`."""

from collections.abc import Callable, Iterator

from infra.local.simulator.items import Json
from infra.local.simulator.output import split_deltas

type Events = Iterator[Json]

# By part type: name in events, key of the text, other fields.
_PARTS: dict[str, tuple[str, str, Json]] = {
    "output_text": ("output_text", "text", {"logprobs": []}),
    "refusal": ("refusal", "refusal", {}),
}


def build_item_events(index: int, item: Json) -> Events:
    position = {"item_id": item["id"], "output_index": index}
    empty, events = _ITEM_EVENTS[item["type"]]
    added = {"status": "in_progress"} if "status" in item else {}
    yield _build_event("output_item.added", output_index=index, item={**item, **added, **empty})
    yield from events(item, position)
    yield _build_event("output_item.done", output_index=index, item=item)


def _message_events(item: Json, position: Json) -> Events:
    for index, part in enumerate(item["content"]):
        part_position = {**position, "content_index": index}
        name, key, extra = _PARTS[part["type"]]
        empty = {key: "", "annotations": []} if part.get("annotations") else {key: ""}
        yield _build_event("content_part.added", **part_position, part={**part, **empty})
        for delta in split_deltas(part[key]):
            yield _build_event(f"{name}.delta", **part_position, delta=delta, **extra)
        for number, annotation in enumerate(part.get("annotations") or []):
            place = {**part_position, "annotation_index": number}
            yield _build_event(f"{name}.annotation.added", **place, annotation=annotation)
        yield _build_event(f"{name}.done", **part_position, **{key: part[key]}, **extra)
        yield _build_event("content_part.done", **part_position, part=part)


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


def _file_search_events(_item: Json, position: Json) -> Events:
    for state in ("in_progress", "searching", "completed"):
        yield _build_event(f"file_search_call.{state}", **position)


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
    "file_search_call": ({"results": None}, _file_search_events),
    "code_interpreter_call": ({"code": "", "outputs": None}, _code_interpreter_events),
    "shell_call": ({}, _shell_events),
    "shell_call_output": ({"output": []}, _shell_output_events),
}
