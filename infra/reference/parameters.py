"""Parameters in paths and queries."""

from collections.abc import Iterator

from pydantic import BaseModel

from infra.reference.provider_values import INCLUDABLE
from infra.reference.schemas import OURS, Schema, inline_schema

TEXT: Schema = {"type": "string", "minLength": 1}
FLAG: Schema = {"type": "boolean", "default": False}
WHEN: Schema = {"type": "integer", "minimum": 0}


def _query(name: str, schema: Schema, about: str) -> Schema:
    return {"name": name, "in": "query", "description": about, "schema": schema}


def path_parameter(name: str) -> Schema:
    about = {
        "id": "The id from create. An id that the caller does not own is not found.",
        "item_id": "The id of an item of the conversation.",
        "model": "The model's public name.",
        "file_id": "The id of a file in it.",
        "batch_id": "The id of a file batch in it.",
        "version_id": "The number of a version.",
    }[name]
    return {"name": name, "in": "path", "required": True, "description": about, "schema": TEXT}


API_VERSION = _query(
    "api-version",
    {"type": "string"},
    "Sent by Azure's clients; any value is accepted, and none is needed.",
)
IDEMPOTENCY_KEY: Schema = {
    "name": "Idempotency-Key",
    "in": "header",
    "description": "Identifies this request for 24 hours: a repeated request with the same key "
    "and body gets the outcome of the first one, and no second response is created.",
    "schema": {"type": "string", "pattern": "^[!-~]{1,255}$"},
    **OURS,
}
RANGE: Schema = {
    "name": "Range",
    "in": "header",
    "description": "The part to send, such as `bytes=0-99999999`, where the provider takes it.",
    "schema": {"type": "string"},
}
AFTER = _query("after", TEXT, "The page starts after this id: `last_id` of the page before.")
LIMIT = _query(
    "limit",
    {"type": "integer", "minimum": 1, "maximum": 100, "default": 20},
    "The maximum number of entries on a page.",
)
ORDER = _query(
    "order",
    {"type": "string", "enum": ["asc", "desc"], "default": "desc"},
    "Newest first (`desc`) or oldest first (`asc`).",
)
INCLUDE: Schema = {
    **_query(
        "include[]",
        {"type": "array", "items": {"type": "string", "examples": INCLUDABLE}},
        "Further data to include, such as `reasoning.encrypted_content`; or as `include`.",
    ),
    "style": "form",
    "explode": True,
}
STREAM = _query("stream", FLAG, "Resume the stream of a response that was created with one.")
STARTING_AFTER = _query(
    "starting_after", WHEN, "The `sequence_number` of the last event that was received."
)
OBFUSCATION = _query(
    "include_obfuscation",
    {"type": "boolean", "default": True},
    "Whether deltas are padded, so that their length reveals nothing.",
)
PAGE = (LIMIT, AFTER, ORDER, INCLUDE)
RESUME = (STREAM, STARTING_AFTER, OBFUSCATION, INCLUDE)
# A pair in brackets for each key. Without an example the page would send one of its own.
DEEP: Schema = {"style": "deepObject", "explode": True, "example": {}}


def of_model(query: type[BaseModel]) -> Iterator[Schema]:
    """Yield the parameters that a query model checks."""
    for name, field in inline_schema(query)["properties"].items():
        schema = dict(field)
        about = schema.pop("description", "")
        yield {**_query(name, schema, about), **(DEEP if schema.get("type") == "object" else {})}
