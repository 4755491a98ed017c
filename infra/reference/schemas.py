"""Component schemas of pydantic models, described by the string literals below their fields.

The literals are read from the source when the document is built; they cost nothing at start.
"""

import ast
import inspect
import textwrap
from collections.abc import Iterator, Sequence
from functools import cache
from itertools import pairwise
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue, models_json_schema
from pydantic_core import core_schema

from infra.reference import provider_values

type Schema = dict[str, Any]

REFERENCE = "#/components/schemas/"
RANGES = {"ge": "minimum", "le": "maximum"}
OURS = {"x-antiphon-extension": True}


def ref(model: type[BaseModel] | str) -> Schema:
    return {"$ref": REFERENCE + (model if isinstance(model, str) else model.__name__)}


def build_components(models: Sequence[type[BaseModel]]) -> dict[str, Schema]:
    """Return the schemas of these models and of all models that they use."""
    _, generated = models_json_schema(
        [(model, "validation") for model in models],
        ref_template=f"{REFERENCE}{{model}}",
        schema_generator=_DescribedSchema,
    )
    return {name: _rename_ranges(schema) for name, schema in generated["$defs"].items()}


def inline_schema(model: type[BaseModel]) -> Schema:
    """Return the schema of a model that uses no other model."""
    made: Schema = _rename_ranges(model.model_json_schema(schema_generator=_DescribedSchema))
    return made


def _rename_ranges(node: Any) -> Any:
    """Rename `ge` and `le`, which pydantic leaves behind a validator, to JSON Schema's names."""
    if isinstance(node, list):
        return [_rename_ranges(inner) for inner in node]
    if not isinstance(node, dict):
        return node
    return {RANGES.get(key, key): _rename_ranges(value) for key, value in node.items()}


class _DescribedSchema(GenerateJsonSchema):
    """Generates schemas with descriptions and without Python's titles."""

    def field_title_should_be_set(self, schema: object) -> bool:  # noqa: ARG002
        return False  # it only repeats the field's name

    def nullable_schema(self, schema: core_schema.NullableSchema) -> JsonSchemaValue:
        inner = self.generate_inner(schema["schema"])
        if not isinstance(inner.get("type"), str) or "enum" in inner or "const" in inner:
            return super().nullable_schema(schema)
        return {**inner, "type": [inner["type"], "null"]}

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        made = super().default_schema(schema)
        if made.get("default", ...) is None:
            del made["default"]  # absent is not the same as null everywhere
        return made

    def model_schema(self, schema: core_schema.ModelSchema) -> JsonSchemaValue:
        made, model = super().model_schema(schema), schema["cls"]
        made.pop("title", None)
        for name, field in made.get("properties", {}).items():
            field.update(_field_description(model, name, field))
        missing = provider_values.REQUIRED.get(model.__name__)
        return {**made, "required": missing} if missing else made


def _field_description(model: type[BaseModel], name: str, field: Schema) -> Schema:
    key = f"{model.__name__}.{name}"
    owners = (cls for cls in model.__mro__ if name in inspect.get_annotations(cls))
    owner = next(owners, None)  # None for an alias, such as a keyword of Python
    described = docstrings(owner).get(name, "") if owner else ""
    fields: Schema = {"description": described} if described else {}
    if key in provider_values.DEFAULTS:
        fields["default"] = provider_values.DEFAULTS[key]
    if key in provider_values.VALUES:
        values = provider_values.VALUES[key]
        fields["examples"] = [values] if "array" in field.get("type", ()) else values
        named = ", ".join(f"`{value}`" for value in values)
        fields["description"] = f"{described} Known values: {named}; newer ones pass.".strip()
    return fields | (OURS if key in provider_values.EXTENSIONS else {})


@cache
def docstrings(model: type[BaseModel]) -> dict[str, str]:
    """Return the string literal below each field in the source of a class."""
    (tree,) = ast.parse(textwrap.dedent(inspect.getsource(model))).body
    return dict(_documented(tree.body)) if isinstance(tree, ast.ClassDef) else {}


def _documented(body: list[ast.stmt]) -> Iterator[tuple[str, str]]:
    for statement, below in pairwise(body):
        match statement, below:
            case (
                ast.AnnAssign(target=ast.Name(id=name)),
                ast.Expr(value=ast.Constant(value=str(text))),
            ):
                yield name, " ".join(text.split())
