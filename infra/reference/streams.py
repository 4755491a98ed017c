"""What a stream is: the schemas of its events, and how it begins, waits and ends."""

from collections.abc import Iterator
from typing import get_args

from infra.reference.answers import EVENT_TYPES, provider_ref
from infra.reference.schemas import OURS, Schema, ref

DESCRIPTION = """\
Server-sent events, each with the event's type as its name and a `StreamEvent` as its data.

- The provider's events pass unchanged: whole, in order, one by one.
- While the provider is silent, comment lines (`: ping`) keep the connection open.
- A stream ends with the provider's terminal event (`response.completed`, `response.failed`,
  `response.incomplete` or `error`). If the provider does not send one, Antiphon sends the terminal
  pair: an `error` event with the error both flat and nested, then `response.failed` with the
  response as far as it is known. A stream never just stops.
- A failure before the first event is an ordinary HTTP error with its own status.
"""
TERMINAL_PAIR = (
    "The stream failed. The error is flat as OpenAI documents it, and nested as its clients read "
    "it: `code`, `message` and `param` are in both. If Antiphon ends a stream, `response.failed` "
    "follows."
)
TEXT: Schema = {"type": "string"}
ERROR = "error"


def schemas() -> dict[str, Schema]:
    """Return `StreamEvent`, and the two events that OpenAI's client has no type for."""
    known = [provider_ref(event) for event in EVENT_TYPES]
    return {
        "ErrorEvent": _error_event(),
        "NewerEvent": _newer_event(),
        "StreamEvent": {
            "description": "One event of a stream, by its `type`.",
            "anyOf": [*known, ref("ErrorEvent"), ref("NewerEvent")],
        },
    }


def types() -> Iterator[str]:
    """Yield every known event type."""
    yield from sorted(_type_of(event) for event in EVENT_TYPES)
    yield ERROR


def content() -> Schema:
    """Return the schema of a stream: OpenAPI 3.1 knows a string; the extension has the events."""
    return {
        "type": "string",
        "description": DESCRIPTION,
        "x-antiphon-events": {"schema": ref("StreamEvent"), "types": list(types())},
    }


def _type_of(event: type) -> str:
    (name, *_) = get_args(event.model_fields["type"].annotation)  # type: ignore[attr-defined]
    return str(name)


def _error_event() -> Schema:
    nullable: Schema = {"type": ["string", "null"]}
    members: dict[str, Schema] = {
        "type": {"type": "string", "const": ERROR},
        "sequence_number": {"type": "integer"},
        "code": nullable,
        "message": TEXT,
        "param": nullable,
        "error": {**ref("ErrorBody"), **OURS},
    }
    return _event(TERMINAL_PAIR, members, required=["type"])


def _newer_event() -> Schema:
    description = "An event type that is newer than this document: it passes like every other one."
    members = {"type": {"type": "string", "not": {"enum": list(types())}}}
    return _event(description, members, required=["type"])


def _event(description: str, members: dict[str, Schema], *, required: list[str]) -> Schema:
    return {
        "type": "object",
        "description": description,
        "required": required,
        "properties": members,
    }
