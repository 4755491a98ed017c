"""A response told as the sequence of events that OpenAI streams. Streams of events that OpenAI sends on bad days, or may send one day."""

from collections.abc import Callable, Iterator
from itertools import chain

from infra.local.simulator.errors import SERVER_ERROR_MESSAGE
from infra.local.simulator.items import Json
from infra.local.simulator.output import split_deltas

type Events = Iterator[Json]
type EventTransform = Callable[[list[Json]], list[Json]]

UNFINISHED_FIELDS: Json = {"output": [], "usage": None, "completed_at": None, "error": None}


def build_events(final: Json, tells: EventTransform) -> list[Json]:
    """Every event from creation to end, numbered; `tells` may change the tale."""
    told = [
        *_opening_events(final),
        *chain.from_iterable(_output_events(final)),
        _terminal_event(final),
    ]
    return [
        {"type": event["type"], "sequence_number": number, **event}
        for number, event in enumerate(tells(told))
    ]


def unfinished_response(final: Json, status: str) -> Json:
    """The response as it stands before its end."""
    return {**final, **UNFINISHED_FIELDS, "incomplete_details": None, "status": status}


def add_obfuscation(event: Json) -> Json:
    """A delta with padding that hides its length from whoever counts bytes on the way."""
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
    place = {"item_id": item["id"], "output_index": index}
    empty, told = _ITEM_EVENTS[item["type"]]
    added = {"status": "in_progress"} if "status" in item else {}
    yield _build_event("output_item.added", output_index=index, item={**item, **added, **empty})
    yield from told(item, place)
    yield _build_event("output_item.done", output_index=index, item=item)


def _message_events(item: Json, place: Json) -> Events:
    for index, part in enumerate(item["content"]):
        at = {**place, "content_index": index}
        name, key, more = _PARTS[part["type"]]
        yield _build_event("content_part.added", **at, part={**part, key: ""})
        for piece in split_deltas(part[key]):
            yield _build_event(f"{name}.delta", **at, delta=piece, **more)
        yield _build_event(f"{name}.done", **at, **{key: part[key]}, **more)
        yield _build_event("content_part.done", **at, part=part)


def _reasoning_events(item: Json, place: Json) -> Events:
    for index, part in enumerate(item["summary"]):
        at = {**place, "summary_index": index}
        yield _build_event("reasoning_summary_part.added", **at, part={**part, "text": ""})
        for piece in split_deltas(part["text"]):
            yield _build_event("reasoning_summary_text.delta", **at, delta=piece)
        yield _build_event("reasoning_summary_text.done", **at, text=part["text"])
        yield _build_event("reasoning_summary_part.done", **at, part=part)


def _function_call_events(item: Json, place: Json) -> Events:
    for piece in split_deltas(item["arguments"]):
        yield _build_event("function_call_arguments.delta", **place, delta=piece)
    yield _build_event(
        "function_call_arguments.done", **place, name=item["name"], arguments=item["arguments"]
    )


def _build_event(name: str, /, **fields: object) -> Json:
    return {"type": f"response.{name}", **fields}


_PARTS: dict[str, tuple[str, str, Json]] = {  # in events: its name, its text, what else is there
    "output_text": ("output_text", "text", {"logprobs": []}),
    "refusal": ("refusal", "refusal", {}),
}
_ITEM_EVENTS: dict[
    str, tuple[Json, Callable[[Json, Json], Events]]
] = {  # what is not there at first
    "message": ({"content": []}, _message_events),
    "reasoning": ({"summary": []}, _reasoning_events),
    "function_call": ({"arguments": ""}, _function_call_events),
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


def unchanged_events(told: list[Json]) -> list[Json]:
    return told


def end_with_flat_error(told: list[Json]) -> list[Json]:
    """The end that the reference documents."""
    return [*told[: len(told) // 2], FLAT_ERROR]


def end_with_nested_error(told: list[Json]) -> list[Json]:
    """The end that is really sent, before response.failed."""
    return [*told[: len(told) // 2], NESTED_ERROR, told[-1]]


def only_nested_error(_told: list[Json]) -> list[Json]:
    return [NESTED_ERROR]


def start_with_queued(told: list[Json]) -> list[Json]:
    """The id is first told by another event than `response.created`."""
    queued = {**told[0]["response"], "status": "queued"}
    return [{"type": "response.queued", "response": queued}, *told]


def add_unknown_events(told: list[Json]) -> list[Json]:
    """Event types and fields of a later day."""
    return [each for event in told for each in ({**event, "since": "2031-01"}, UNKNOWN_EVENT)][:-1]


def add_image_event(size: int) -> EventTransform:
    """One event of so many bytes."""
    return lambda told: [*told[:-1], {**IMAGE_EVENT, "partial_image_b64": "A" * size}, told[-1]]
