"""Builds the stream events of a response, and the changes that scenarios make to them."""

from collections.abc import Callable, Iterator
from itertools import chain

from infra.local.simulator.errors import SERVER_ERROR_MESSAGE
from infra.local.simulator.items import Json
from infra.local.simulator.output import split_deltas

type Events = Iterator[Json]
type EventTransform = Callable[[list[Json]], list[Json]]

UNFINISHED_FIELDS: Json = {"output": [], "usage": None, "completed_at": None, "error": None}
# By part type: name in events, key of the text, other fields.
_PARTS: dict[str, tuple[str, str, Json]] = {
    "output_text": ("output_text", "text", {"logprobs": []}),
    "refusal": ("refusal", "refusal", {}),
}
FLAT_ERROR: Json = {
    "type": "error",
    "code": "server_error",
    "message": SERVER_ERROR_MESSAGE,
    "param": None,
}
NESTED_ERROR: Json = {
    "type": "error",
    "error": {
        "type": "server_error",
        "code": "server_error",
        "message": SERVER_ERROR_MESSAGE,
        "param": None,
    },
}
IMAGE_EVENT: Json = {
    "type": "response.image_generation_call.partial_image",
    "item_id": "ig_0",
    "output_index": 0,
    "partial_image_index": 0,
}
UNKNOWN_EVENT: Json = {
    "type": "response.hologram.delta",
    "delta": "◇",
    "shape": {"sides": [4, None]},
}


def build_events(final: Json, edit: EventTransform) -> list[Json]:
    """Returns all events from creation to end, numbered; `edit` may change the list."""
    events = [
        *_opening_events(final),
        *chain.from_iterable(_output_events(final)),
        _terminal_event(final),
    ]
    return [
        {"type": event["type"], "sequence_number": number, **event}
        for number, event in enumerate(edit(events))
    ]


def unfinished_response(final: Json, status: str) -> Json:
    """Returns the response as it is before its end."""
    return {**final, **UNFINISHED_FIELDS, "incomplete_details": None, "status": status}


def add_obfuscation(event: Json) -> Json:
    """Adds padding to a delta, so that its size on the network does not reveal its length."""
    if not event["type"].endswith(".delta"):
        return event
    return {**event, "obfuscation": "x8Kq2Zp0LmW5vRtY"[len(event["delta"]) % 16 :]}


def _opening_events(final: Json) -> Events:
    if final["background"]:
        queued = unfinished_response(final, "queued")
        yield {"type": "response.created", "response": queued}
        yield {"type": "response.queued", "response": queued}
    else:
        yield {"type": "response.created", "response": unfinished_response(final, "in_progress")}
    yield {"type": "response.in_progress", "response": unfinished_response(final, "in_progress")}


def _terminal_event(final: Json) -> Json:
    return {"type": f"response.{final['status']}", "response": final}


def _output_events(final: Json) -> Iterator[Events]:
    for index, item in enumerate(final["output"]):
        yield _item_events(index, item)


def _item_events(index: int, item: Json) -> Events:
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
        yield _build_event("content_part.added", **part_position, part={**part, key: ""})
        for delta in split_deltas(part[key]):
            yield _build_event(f"{name}.delta", **part_position, delta=delta, **extra)
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


def _build_event(name: str, /, **fields: object) -> Json:
    return {"type": f"response.{name}", **fields}


# By item type: the empty fields at first, and the events until it is complete.
_ITEM_EVENTS: dict[str, tuple[Json, Callable[[Json, Json], Events]]] = {
    "message": ({"content": []}, _message_events),
    "reasoning": ({"summary": []}, _reasoning_events),
    "function_call": ({"arguments": ""}, _function_call_events),
}


def unchanged_events(events: list[Json]) -> list[Json]:
    return events


def end_with_flat_error(events: list[Json]) -> list[Json]:
    """Ends with the event that the API reference documents."""
    return [*events[: len(events) // 2], FLAT_ERROR]


def end_with_nested_error(events: list[Json]) -> list[Json]:
    """Ends with the events that OpenAI really sends: a nested error, then response.failed."""
    return [*events[: len(events) // 2], NESTED_ERROR, events[-1]]


def only_nested_error(_events: list[Json]) -> list[Json]:
    return [NESTED_ERROR]


def start_with_queued(events: list[Json]) -> list[Json]:
    """Starts with another event than `response.created`, so that it is the first with the id."""
    queued = {**events[0]["response"], "status": "queued"}
    return [{"type": "response.queued", "response": queued}, *events]


def add_unknown_events(events: list[Json]) -> list[Json]:
    """Adds an unknown field to each event, and an unknown event after each but the last."""
    return [each for event in events for each in ({**event, "since": "2031-01"}, UNKNOWN_EVENT)][
        :-1
    ]


def add_image_event(size: int) -> EventTransform:
    """Adds one event with `size` bytes of image data."""
    return lambda events: [
        *events[:-1],
        {**IMAGE_EVENT, "partial_image_b64": "A" * size},
        events[-1],
    ]
