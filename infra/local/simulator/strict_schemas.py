"""What OpenAI requires of a JSON schema, and more of a strict one.

See https://developers.openai.com/api/docs/guides/structured-outputs.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from infra.local.simulator.items import Json

type Path = tuple[str, ...]

NAMED_PARTS = ("properties", "$defs", "definitions")  # keywords with a schema for each name
LISTED_PARTS = ("anyOf", "prefixItems")


def find_fault(schema: Json, *, is_strict: bool) -> str | None:
    """Return the text of the first fault, None if there is none."""
    if schema.get("type", "object" if not is_strict else None) != "object":
        kind = schema.get("type")
        return f"""schema must be a JSON Schema of 'type: "object"', got 'type: "{kind}"'."""
    faults = _strict_faults(schema, ()) if is_strict else ()
    return next(iter(faults), None)


def _strict_faults(schema: Any, path: Path) -> Iterator[str]:
    if not isinstance(schema, Mapping):
        return
    if schema.get("type") == "object":
        yield from _object_faults(schema, path)
    for part_path, part in _parts(schema):
        yield from _strict_faults(part, (*path, *part_path))


def _object_faults(schema: Mapping[str, Any], path: Path) -> Iterator[str]:
    if schema.get("additionalProperties") is not False:
        yield (
            f"In context={path}, 'additionalProperties' is required to be supplied and to be false."
        )
    required = schema.get("required") or ()
    for name in schema.get("properties") or ():
        if name not in required:
            yield (
                f"In context={path}, 'required' is required to be supplied and to be an array"
                f" including every key in properties. Missing '{name}'."
            )


def _parts(schema: Mapping[str, Any]) -> Iterator[tuple[Path, Any]]:
    for keyword in NAMED_PARTS:
        for name, part in (schema.get(keyword) or {}).items():
            yield (keyword, name), part
    for keyword in LISTED_PARTS:
        for index, part in enumerate(schema.get(keyword) or ()):
            yield (keyword, str(index)), part
    yield ("items",), schema.get("items")
