"""Streams of events that OpenAI sends on bad days, or may send one day."""

from infra.local.simulator.events import Tells
from infra.local.simulator.items import Json
from infra.local.simulator.refusals import AGAIN

FLAT: Json = {"type": "error", "code": "server_error", "message": AGAIN, "param": None}
NESTED: Json = {
    "type": "error",
    "error": {"type": "server_error", "code": "server_error", "message": AGAIN, "param": None},
}
PICTURE: Json = {
    "type": "response.image_generation_call.partial_image",
    "item_id": "ig_0",
    "output_index": 0,
    "partial_image_index": 0,
}
FUTURE: Json = {"type": "response.hologram.delta", "delta": "◇", "shape": {"sides": [4, None]}}


def as_is(told: list[Json]) -> list[Json]:
    return told


def flat_error(told: list[Json]) -> list[Json]:
    """The end that the reference documents."""
    return [*told[: len(told) // 2], FLAT]


def nested_error(told: list[Json]) -> list[Json]:
    """The end that is really sent, before response.failed."""
    return [*told[: len(told) // 2], NESTED, told[-1]]


def error_first(_told: list[Json]) -> list[Json]:
    return [NESTED]


def queued_first(told: list[Json]) -> list[Json]:
    """The id is first told by another event than `response.created`."""
    queued = {**told[0]["response"], "status": "queued"}
    return [{"type": "response.queued", "response": queued}, *told]


def unknown(told: list[Json]) -> list[Json]:
    """Event types and fields of a later day."""
    return [each for event in told for each in ({**event, "since": "2031-01"}, FUTURE)][:-1]


def with_picture(size: int) -> Tells:
    """One event of so many bytes."""
    return lambda told: [*told[:-1], {**PICTURE, "partial_image_b64": "A" * size}, told[-1]]
