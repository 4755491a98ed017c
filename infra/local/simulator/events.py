"""Builds the stream events of a response, and the changes that scenarios make to them."""

from collections.abc import Callable, Iterator
from itertools import chain

from infra.local.simulator.errors import SERVER_ERROR_MESSAGE
from infra.local.simulator.image_generation import count_partial_images
from infra.local.simulator.item_events import Events, build_item_events
from infra.local.simulator.items import Json

type EventTransform = Callable[[list[Json]], list[Json]]

UNFINISHED_FIELDS: Json = {"output": [], "usage": None, "completed_at": None, "error": None}
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
    partial_images = count_partial_images(final["tools"])
    for index, item in enumerate(final["output"]):
        yield build_item_events(index, item, partial_images)


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
