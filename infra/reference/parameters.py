"""Parameters in paths and queries."""

from collections.abc import Iterator

from pydantic import BaseModel

from infra.reference.known import INCLUDABLE
from infra.reference.schemas import OURS, Schema, inlined

TEXT: Schema = {"type": "string", "minLength": 1}
FLAG: Schema = {"type": "boolean", "default": False}
WHEN: Schema = {"type": "integer", "minimum": 0}


def _query(name: str, schema: Schema, about: str) -> Schema:
    return {"name": name, "in": "query", "description": about, "schema": schema}


def path(name: str) -> Schema:
    about = {
        "id": "The id, as create gave it. One that is not the caller's own is not found.",
        "item_id": "The id of an item of the conversation.",
        "model": "The model's public name.",
    }[name]
    return {"name": name, "in": "path", "required": True, "description": about, "schema": TEXT}


API_VERSION = _query(
    "api-version", {"type": "string"}, "What Azure's clients send: any value is taken, none needed."
)
IDEMPOTENCY_KEY: Schema = {
    "name": "Idempotency-Key",
    "in": "header",
    "description": "Names this request for 24 hours: sent again with the same key and the same "
    "body, it gets what the first one came to, and no second response is made.",
    "schema": {"type": "string", "pattern": "^[!-~]{1,255}$"},
    **OURS,
}
AFTER = _query("after", TEXT, "The id that the page begins behind: `last_id` of the page before.")
LIMIT = _query(
    "limit",
    {"type": "integer", "minimum": 1, "maximum": 100, "default": 20},
    "How many entries the page has at most.",
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
        "What else to tell, such as `reasoning.encrypted_content`; `include` is taken as well.",
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
    "Whether deltas are padded, so that their length tells nothing.",
)
PAGE = (LIMIT, AFTER, ORDER, INCLUDE)
RESUME = (STREAM, STARTING_AFTER, OBFUSCATION, INCLUDE)
# A pair in brackets for each key. Without an example the page would send its own idea of one.
DEEP: Schema = {"style": "deepObject", "explode": True, "example": {}}


def of(query: type[BaseModel]) -> Iterator[Schema]:
    """The parameters that a model of a query checks."""
    for name, field in inlined(query)["properties"].items():
        schema = dict(field)
        about = schema.pop("description", "")
        yield {**_query(name, schema, about), **(DEEP if schema.get("type") == "object" else {})}
