"""Gives equal schemas one name, so that the document and a generated client have each of them once.

OpenAI's client has a type of its own for each place in which a schema is used.
"""

import json
from collections.abc import Mapping
from typing import Any

from infra.reference.schemas import REFERENCE, Schema


def merge_equal_schemas(document: Schema) -> Schema:
    """Return the document with one name for each of its component schemas: the shortest one."""
    while names := _other_names(document["components"]["schemas"]):
        document = _rename(document, names)
        schemas = document["components"]["schemas"]
        document["components"]["schemas"] = {n: schemas[n] for n in schemas if n not in names}
    return document


def _other_names(schemas: Schema) -> dict[str, str]:
    """Return the references that can be replaced, each with that which replaces it."""
    first: dict[str, str] = {}
    others = {}
    for name in sorted(schemas, key=lambda name: (len(name), name)):
        chosen = first.setdefault(json.dumps(schemas[name], sort_keys=True), name)
        if chosen != name:
            others[name] = chosen
    return others


def _rename(node: Any, names: Mapping[str, str]) -> Any:
    if isinstance(node, list):
        return [_rename(inner, names) for inner in node]
    if not isinstance(node, dict):
        return node
    renamed = {key: _rename(value, names) for key, value in node.items()}
    if isinstance(target := node.get("$ref"), str) and target.startswith(REFERENCE):
        name = target.removeprefix(REFERENCE)
        renamed["$ref"] = REFERENCE + names.get(name, name)
    return renamed
