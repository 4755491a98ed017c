"""What a stream is: schemas of its events, and the words on how it begins, waits and ends."""

from collections.abc import Iterator

from infra.reference.events import NUMBERED, OBJECT, SHAPES, TEXT, Shape
from infra.reference.schemas import OURS, Schema, ref

ABOUT = """\
Server-sent events, each with the event's type as its name and a `StreamEvent` as its data.

- The provider's events pass as they came: whole, in order, one by one.
- While the provider is silent, comment lines (`: keep-alive`) hold the connection.
- A stream ends with the provider's terminal event (`response.completed`, `response.failed`,
  `response.incomplete` or `error`). Where the provider cannot end it, Antiphon does, with the
  terminal pair: an `error` event that carries the error both flat and nested, then
  `response.failed` with the response as far as it came. It never ends in silence.
- A failure before the first event is an ordinary HTTP error with its own status.
"""
TERMINAL_PAIR = (
    "The stream failed. Flat as OpenAI documents it and nested as its clients read it: `code`, "
    "`message` and `param` stand in both. Where Antiphon ends a stream, `response.failed` follows."
)


def schemas() -> dict[str, Schema]:
    """One component for each shape, and `StreamEvent` for all of them and any newer one."""
    shapes = {name: _shape(shape) for name, shape in SHAPES.items()}
    everything = [ref(name) for name in (*shapes, "ErrorEvent", "NewerEvent")]
    return {
        **shapes,
        "ErrorEvent": _error(),
        "NewerEvent": _newer(),
        "StreamEvent": {
            "description": "One event of a stream, by its `type`.",
            "anyOf": everything,
        },
    }


def types() -> Iterator[str]:
    """Every event type there is, in the order of the table."""
    for shape in SHAPES.values():
        yield from (f"response.{name}" for name in shape.types)
    yield "error"


def content() -> Schema:
    """A string, as far as OpenAPI 3.1 can tell; the extension says what its events are."""
    return {
        "type": "string",
        "description": ABOUT,
        "x-antiphon-events": {"schema": ref("StreamEvent"), "types": list(types())},
    }


def _shape(shape: Shape) -> Schema:
    named = [f"response.{name}" for name in shape.types]
    kind: Schema = {"type": "string", "enum": named}
    return _event(shape.about, {"type": kind, **NUMBERED, **shape.members})


def _error() -> Schema:
    nullable = {"type": ["string", "null"]}
    flat = {"code": nullable, "message": TEXT, "param": nullable}
    nested = {"$ref": ref("ErrorBody")["$ref"], **OURS}
    kind = {"type": "string", "const": "error"}
    made = _event(TERMINAL_PAIR, {"type": kind, **NUMBERED, **flat, "error": nested})
    return {**made, "required": ["type"]}


def _newer() -> Schema:
    about = "An event type that is newer than this document: it passes like every other one."
    known = {"type": "string", "not": {"enum": list(types())}}
    return {**OBJECT, "description": about, "required": ["type"], "properties": {"type": known}}


def _event(about: str, members: dict[str, Schema]) -> Schema:
    return {**OBJECT, "description": about, "required": list(members), "properties": members}
