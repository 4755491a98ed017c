"""Errors of `gateway.toml` in words: the key, what is expected, and the key that was meant."""

import difflib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

UNION_BRANCHES = {"list[str]", "dict[str,str]", "[key]"}  # in pydantic's paths; not keys of a file
PROVIDERS = {"openai", "azure", "bedrock"}
UNKNOWN_KEY = "extra_forbidden"
MESSAGES = {  # by pydantic's type, in TOML's words
    "missing": "this key is required",
    "string_type": "must be a text, in quotes",
    "int_type": "must be a whole number",
    "float_type": "must be a number",
    "bool_type": "must be true or false",
    "list_type": "must be a list, in square brackets",
    "dict_type": "must be a table",
    "model_type": "must be a table",
    "union_tag_not_found": "the key provider is required: 'openai', 'azure' or 'bedrock'",
    "union_tag_invalid": "provider must be 'openai', 'azure' or 'bedrock'",
}

type Path = tuple[int | str, ...]
type Schema = Mapping[str, Any]


def error_line(source: str, error: Mapping[str, Any], schema: Schema) -> str:
    """Return the line for one of pydantic's errors; `schema` is the JSON schema of the file."""
    path = tuple(part for n, part in enumerate(error["loc"]) if not _is_union_branch(n, part))
    key = ".".join(map(str, path))
    message = _message(error, path, schema)
    names_its_key = not key and error["type"] == "value_error"  # a rule about several sections
    return ": ".join([source, message] if names_its_key else [source, key or "the file", message])


def _message(error: Mapping[str, Any], path: Path, schema: Schema) -> str:
    if error["type"] == UNKNOWN_KEY:
        return f"there is no such key. {_suggestion(str(path[-1]), _keys_at(schema, path[:-1]))}"
    message = str(error["msg"]).removeprefix("Value error, ")
    return MESSAGES.get(error["type"], message.replace("Input should", "must", 1))


def _suggestion(key: str, known: Sequence[str]) -> str:
    similar = difflib.get_close_matches(key, known)
    if similar:
        return f"Did you mean {' or '.join(similar)}?"
    return f"The keys here are {', '.join(known)}."


def _keys_at(schema: Schema, path: Path) -> list[str]:
    """Return the keys that a table of the file may have."""
    tables = list(_resolve(schema, schema))
    for step in path:
        tables = [found for table in tables for found in _member(schema, table, step)]
    return sorted({key for table in tables for key in table.get("properties", {})})


def _member(schema: Schema, table: Schema, step: int | str) -> Iterator[Schema]:
    names = table.get("patternProperties", {}).values()
    found = table.get("properties", {}).get(step, table.get("additionalProperties"))
    for each in (found, *names):
        if isinstance(each, Mapping):
            yield from _resolve(schema, each)


def _resolve(schema: Schema, node: Schema) -> Iterator[Schema]:
    """Yield a schema itself, or those that it refers to."""
    if "$ref" in node:
        yield from _resolve(schema, schema["$defs"][node["$ref"].rpartition("/")[2]])
    elif branches := (node.get("anyOf") or node.get("oneOf")):
        for each in branches:
            yield from _resolve(schema, each)
    else:
        yield node


def _is_union_branch(position: int, part: object) -> bool:
    """Whether a part of pydantic's path is the branch of a union and not a key of the file."""
    is_provider = position == 2 and part in PROVIDERS  # noqa: PLR2004  targets.name.*
    return is_provider or part in UNION_BRANCHES
