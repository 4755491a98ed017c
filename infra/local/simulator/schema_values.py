"""Builds the simplest value that is valid for a JSON schema."""

import math
from collections.abc import Callable, Mapping
from typing import Any

from infra.local.simulator.errors import ApiError

type Schema = Mapping[str, Any]

MAX_DEPTH = 6  # a recursive schema ends at this depth, if it allows an end
UNRESOLVED_SCHEMA = "Invalid schema for response_format: it cannot be resolved."
STRING_FORMATS = {
    "date-time": "2026-01-01T12:00:00Z",
    "date": "2026-01-01",
    "time": "12:00:00Z",
    "duration": "PT1H",
    "email": "ada@example.com",
    "hostname": "example.com",
    "ipv4": "192.0.2.1",
    "ipv6": "2001:db8::1",
    "uri": "https://example.com/",
    "uuid": "123e4567-e89b-42d3-a456-426614174000",
}


def build_value(schema: Schema) -> Any:
    try:
        return _ValueBuilder(schema).build(schema, "value", 0)
    except (AttributeError, LookupError, RecursionError, TypeError) as exc:
        raise ApiError(400, UNRESOLVED_SCHEMA, "invalid_json_schema", "text.format.schema") from exc


class _ValueBuilder:
    """Has the whole schema, to resolve references to its parts."""

    def __init__(self, root: Schema) -> None:
        self._root = root

    def build(self, schema: Any, name: str, depth: int) -> Any:
        schema = self._resolve(schema, depth)
        for key in ("const", "default"):
            if key in schema:
                return schema[key]
        if schema.get("enum"):
            return schema["enum"][0]
        return _BUILDERS[_schema_type(schema, depth)](self, schema, name, depth)

    def _resolve(self, schema: Any, depth: int) -> dict[str, Any]:
        """Returns the schema without `$ref`, `allOf`, `anyOf` and `oneOf`."""
        resolved = dict(schema) if isinstance(schema, Mapping) else {}
        while "$ref" in resolved:
            resolved = {**self._find_part(resolved.pop("$ref")), **resolved}
        for part in resolved.pop("allOf", []):
            resolved = _merge_schemas(resolved, self._resolve(part, depth))
        choices = resolved.pop("anyOf", None) or resolved.pop("oneOf", None)
        if choices:
            choice = self._resolve(_choose_schema(choices, depth), depth)
            resolved = _merge_schemas(resolved, choice)
        return resolved

    def _find_part(self, reference: str) -> Schema:
        part: Any = self._root
        for key in reference.removeprefix("#").split("/")[1:]:
            part = part[key.replace("~1", "/").replace("~0", "~")]
        return part if isinstance(part, Mapping) else {}

    def build_object(self, schema: Schema, _name: str, depth: int) -> dict[str, Any]:
        properties: Schema = schema.get("properties", {})
        names = schema.get("required", []) if depth >= MAX_DEPTH else properties
        return {key: self.build(properties.get(key, {}), key, depth + 1) for key in names}

    def build_array(self, schema: Schema, name: str, depth: int) -> list[Any]:
        first = [self.build(each, name, depth + 1) for each in schema.get("prefixItems", [])]
        count = schema.get("minItems", 0 if depth >= MAX_DEPTH else 1)
        count = min(count, schema.get("maxItems", count)) - len(first)
        return first + [self.build(schema.get("items"), name, depth + 1) for _ in range(count)]

    def build_string(self, schema: Schema, name: str, _depth: int) -> str:
        text: str = STRING_FORMATS.get(schema.get("format", ""), name)
        text = text.ljust(schema.get("minLength", 0), ".")
        return text[: schema.get("maxLength", len(text))]

    def build_number(self, schema: Schema, _name: str, _depth: int) -> float:
        return _number_within(schema, 1.5)

    def build_integer(self, schema: Schema, _name: str, _depth: int) -> int:
        return math.ceil(_number_within(schema, 1))

    def build_boolean(self, _schema: Schema, _name: str, _depth: int) -> bool:
        return True

    def build_null(self, _schema: Schema, _name: str, _depth: int) -> None:
        return None


_BUILDERS: dict[str, Callable[[_ValueBuilder, Schema, str, int], Any]] = {
    "object": _ValueBuilder.build_object,
    "array": _ValueBuilder.build_array,
    "string": _ValueBuilder.build_string,
    "number": _ValueBuilder.build_number,
    "integer": _ValueBuilder.build_integer,
    "boolean": _ValueBuilder.build_boolean,
    "null": _ValueBuilder.build_null,
}


def _schema_type(schema: Schema, depth: int) -> str:
    types = schema.get("type", "object" if "properties" in schema else "string")
    if isinstance(types, str):
        return types
    return str(_choose_schema([{"type": each} for each in types], depth)["type"])


def _choose_schema(choices: list[Schema], depth: int) -> Schema:
    """Returns the first schema that is not null; below MAX_DEPTH, null if it is allowed."""
    nulls = [each for each in choices if each.get("type") == "null"]
    others = [each for each in choices if each.get("type") != "null"]
    return (nulls + others if depth >= MAX_DEPTH else others + nulls)[0]


def _merge_schemas(first: Schema, second: Schema) -> dict[str, Any]:
    properties = {**first.get("properties", {}), **second.get("properties", {})}
    required = [*first.get("required", []), *second.get("required", [])]
    merged = {**first, **second, "properties": properties, "required": required}
    return {key: build for key, build in merged.items() if key in first or key in second}


def _number_within(schema: Schema, preferred: float) -> float:
    """Returns the preferred number, or one within the bounds; a multiple of the step, if any."""
    low = max(schema.get("minimum", -math.inf), schema.get("exclusiveMinimum", -math.inf))
    high = min(schema.get("maximum", math.inf), schema.get("exclusiveMaximum", math.inf))
    if not low < preferred < high:
        preferred = _number_between(low, high)
    step = schema.get("multipleOf")
    return preferred if step is None else math.ceil(preferred / step) * step


def _number_between(low: float, high: float) -> float:
    if math.isfinite(low) and math.isfinite(high):
        return (low + high) / 2
    return low + 1 if math.isfinite(low) else high - 1
