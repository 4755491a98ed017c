"""Schemas of answers: providers' from the types of OpenAI's client, the gateway's own from here.

The gateway passes on whatever a provider sends, so the providers' schemas are relaxed: values and
kinds of objects that are newer than this document are valid, too.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any, Literal, get_args

from openai.types.conversations import (
    Conversation,
    ConversationDeletedResource,
    ConversationItem,
    ConversationItemList,
)
from openai.types.responses import (
    CompactedResponse,
    Response,
    ResponseErrorEvent,
    ResponseItemList,
    ResponseStreamEvent,
)
from openai.types.responses.input_token_count_response import InputTokenCountResponse
from pydantic import BaseModel, ConfigDict, RootModel

from infra.reference.schemas import Schema, build_components, ref

# Without the `error` event, which has two documented shapes: see streams.py.
EVENT_TYPES: tuple[type[BaseModel], ...] = tuple(
    event for event in get_args(get_args(ResponseStreamEvent)[0]) if event is not ResponseErrorEvent
)
NEWER = "NewerObject"
DROPPED = {"discriminator", "default", "title"}
# Members that every provider sends; others may be missing.
ESSENTIAL = {"id", "object", "type", "model", "output", "data", "response", "item", "delta"}
CLOSED = {"object", "type"}  # members whose constant says which schema applies
NULLABLE = {"first_id", "last_id"}  # null in an empty list, unlike in the client's types
# Members of a response that repeat the request, which has their schemas.
REPEATED = ("instructions", "prompt", "reasoning", "text", "tool_choice", "tools")
# What users of this gateway should know, in the place of OpenAI's text.
DESCRIPTIONS = {
    "Response": "A response as its provider sends it; members that are not listed here pass, too.",
    "Conversation": "Items that responses share: they are part of the input of the next response.",
}
MEMBER_DESCRIPTIONS = {
    "Response": {
        "id": "The id with which the response is retrieved, continued, cancelled or deleted.",
        "metadata": "The metadata of the request. `GET /responses` filters by it.",
        "service_tier": "The tier that served the request.",
        "status": "All values but `queued` and `in_progress` are final.",
        "usage": "The tokens that were used; null until the status is final.",
    },
    "Conversation": {
        "id": "The id with which the conversation is retrieved, continued, changed or deleted.",
        "metadata": "The metadata of the request. `GET /conversations` filters by it.",
    },
}
OWN_MEMBERS: dict[
    str, Schema
] = {  # of a response: the client lists models, and does not have the others
    "model": {
        "type": "string",
        "description": "The model's name at the provider: on Azure the model, not the deployment.",
    },
    "store": {
        "type": ["boolean", "null"],
        "description": "Whether the provider stores the response.",
    },
    "frequency_penalty": {"type": ["number", "null"]},
    "presence_penalty": {"type": ["number", "null"]},
}
PREFIX = "Provider"  # of a provider's schema whose name is also one of ours


class OpenObject(BaseModel):
    """An object whose documented members are listed; all others pass."""

    model_config = ConfigDict(extra="allow")


class StoredItem(RootModel[ConversationItem]):
    """An input or output item that the provider stores, by its `type`."""


class ErrorBody(OpenObject):
    message: str
    """What went wrong, for people."""
    type: str | None = None
    """The kind of error, such as `invalid_request_error` or `server_error`."""
    param: str | None = None
    """The parameter that is wrong, such as `input[0].role`; null if it is no single one."""
    code: str | None = None
    """What went wrong, for programs."""


class Error(OpenObject):
    """The envelope of every error, the gateway's own and the provider's."""

    error: ErrorBody


class ModelObject(OpenObject):
    id: str
    """The value for `model`."""
    object: Literal["model"]
    created: int
    """In epoch seconds; 0 if unknown."""
    owned_by: str


class ModelList(OpenObject):
    object: Literal["list"]
    data: list[ModelObject]


class DeletedResponse(OpenObject):
    id: str
    object: Literal["response", "response.deleted"]
    deleted: Literal[True]


class Health(OpenObject):
    status: Literal["ok"]


PROVIDER_TYPES: tuple[type[BaseModel], ...] = (
    CompactedResponse,
    Conversation,
    ConversationDeletedResource,
    ConversationItemList,
    InputTokenCountResponse,
    Response,
    ResponseItemList,
    StoredItem,
)


def is_provider_type(model: type[BaseModel]) -> bool:
    return model in PROVIDER_TYPES


def provider_schemas(own_names: frozenset[str]) -> dict[str, Schema]:
    """Return the relaxed schemas of providers' answers and events; `own_names` are taken."""
    generated = build_components([*PROVIDER_TYPES, *EVENT_TYPES])
    names = _short_names(generated, own_names)
    relaxed = {names[name]: _relax(schema, names) for name, schema in generated.items()}
    _describe(relaxed)
    description = "An object of a kind that is newer than this document; it passes unchanged."
    relaxed[NEWER] = {"type": "object", "description": description}
    roots = [model.__name__ for model in (*PROVIDER_TYPES, *EVENT_TYPES)]
    return {name: relaxed[name] for name in _reachable(relaxed, roots)}


def _describe(schemas: dict[str, Schema]) -> None:
    """Add what the client's types do not have, and replace what the request's schemas repeat."""
    for name, description in DESCRIPTIONS.items():
        schemas[name]["description"] = description
    for name, members in MEMBER_DESCRIPTIONS.items():
        for member, description in members.items():
            schemas[name]["properties"][member]["description"] = description
    response = schemas["Response"]["properties"]
    response |= OWN_MEMBERS
    for name in REPEATED:
        response[name] = {"description": response[name].get("description", "")}


def _reachable(schemas: dict[str, Schema], roots: Iterable[str]) -> list[str]:
    """Return the names of these schemas and of all that they refer to."""
    found: dict[str, None] = {}
    waiting = [*roots]
    while waiting:
        name = waiting.pop()
        if name not in found:
            found[name] = None
            waiting += _references(schemas[name])
    return sorted(found)


def _references(node: Any) -> Iterator[str]:
    if isinstance(node, dict) and "$ref" in node:
        yield node["$ref"].rpartition("/")[2]
    inner = node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
    for child in inner:
        yield from _references(child)


def provider_ref(model: type[BaseModel]) -> Schema:
    """Return a reference to the schema of one of these types."""
    return ref(model.__name__)


def _short_names(long_names: Iterable[str], own_names: frozenset[str]) -> dict[str, str]:
    """Remove the module path that pydantic puts before a name where two names are equal."""
    roots = {_long_name(model): model.__name__ for model in (*PROVIDER_TYPES, *EVENT_TYPES)}
    taken = {*own_names, *roots.values()}
    short = {name: name.rpartition("__")[2] for name in long_names}
    counts = Counter(short.values())
    return {
        name: roots.get(name) or (_qualified(name) if _is_taken(last, counts, taken) else last)
        for name, last in short.items()
    } | {name: name for name in short if name in roots.values()}


def _is_taken(name: str, counts: Counter[str], taken: set[str]) -> bool:
    return counts[name] > 1 or name in taken


def _long_name(model: type[BaseModel]) -> str:
    return f"{model.__module__}.{model.__qualname__}".replace(".", "__")


def _qualified(name: str) -> str:
    parts = name.split("__")
    if len(parts) == 1:
        return PREFIX + name
    return "".join(word.title() for word in parts[-2].split("_")) + parts[-1]


def _relax(node: Any, names: dict[str, str]) -> Any:
    """Accept newer values and kinds of objects, and missing members; shorten references."""
    if isinstance(node, list):
        return [_relax(inner, names) for inner in node]
    if not isinstance(node, dict):
        return node
    if "$ref" in node:
        return {**node, **ref(names[node["$ref"].rpartition("/")[2]])}
    relaxed = {key: _relax(value, names) for key, value in node.items() if key not in DROPPED}
    return _relax_members(_relax_choices(relaxed))


def _relax_choices(schema: Schema) -> Schema:
    if "enum" in schema:
        schema["examples"] = schema.pop("enum")
    alternatives = [*schema.pop("oneOf", []), *schema.pop("anyOf", [])]
    if sum("$ref" in alternative for alternative in alternatives) > 1:
        alternatives.append(ref(NEWER))
    return {**schema, "anyOf": alternatives} if alternatives else schema


def _relax_members(schema: Schema) -> Schema:
    if isinstance(schema.get("required"), list):
        schema["required"] = [name for name in schema["required"] if name in ESSENTIAL]
    if isinstance(members := schema.get("properties"), dict):
        schema["properties"] = {name: _relax_member(name, members[name]) for name in members}
        schema["additionalProperties"] = True
    if isinstance(schema.get("description"), str):
        schema["description"] = schema["description"].split("\n\n")[0]
    return schema


def _relax_member(name: str, member: Schema) -> Schema:
    if name in NULLABLE:
        return {**member, "type": ["string", "null"]}
    if "const" in member and name not in CLOSED:
        rest = {key: value for key, value in member.items() if key != "const"}
        return {**rest, "examples": [member["const"]]}
    return member
