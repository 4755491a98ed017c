"""Tables in Markdown, and how a field of a settings model is described in one."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo

NONE = "\N{EN DASH}"  # no default, or no code
BOUNDS = {
    "minimum": "{}",
    "exclusiveMinimum": "over {}",
    "maximum": "{}",
    "exclusiveMaximum": "below {}",
}


def build_table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [_line(columns), "|---" * len(columns) + "|", *map(_line, rows)]
    return "\n".join(lines)


def _line(cells: Sequence[str]) -> str:
    escaped = (" ".join(cell.replace("|", r"\|").split()) for cell in cells)
    return f"| {' | '.join(escaped)} |".replace("|  |", "| |")


def format_default(field: FieldInfo) -> str:
    """Return a field's default as a reader writes it into the file."""
    if field.is_required():
        return NONE
    return format_value(field.get_default(call_default_factory=True))


def format_value(value: Any) -> str:
    if value is None:
        return NONE
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return f"{value:.15g}" if value % 1 else str(int(value))
    if isinstance(value, str):
        return f"`{value}`"
    items = [*value] if not isinstance(value, Mapping) else {**value}
    return f"`{items}`".replace("'", '"')


def format_allowed(model: type[BaseModel], name: str) -> str:
    """Return the values or the bounds of a field; empty if its type says everything."""
    schema = model.model_json_schema()
    found = _resolve(schema["properties"][name], schema.get("$defs", {}))
    if "enum" in found:
        return ", ".join(f"`{value}`" for value in found["enum"])
    low = _bound(found, "minimum", "exclusiveMinimum")
    high = _bound(found, "maximum", "exclusiveMaximum")
    if low and high:
        return f"{low} to {high}"
    return low and (low if low.startswith("over") else f"at least {low}")


def _bound(schema: Mapping[str, Any], *names: str) -> str:
    return next((BOUNDS[n].format(format_value(schema[n])) for n in names if n in schema), "")


def _resolve(schema: Mapping[str, Any], definitions: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the schema of a value that is given: without `null`, and without a reference."""
    if "anyOf" in schema:
        given = next(each for each in schema["anyOf"] if each.get("type") != "null")
        return _resolve(given, definitions)
    if "$ref" in schema:
        return _resolve(definitions[schema["$ref"].rpartition("/")[2]], definitions)
    return schema
