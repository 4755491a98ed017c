"""Component schemas from pydantic models, with the words that stand beside their fields.

The string below a field describes it: it is read from the source when the document is built,
and costs nothing when the gateway starts.
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

from infra.reference import known

type Schema = dict[str, Any]

REFERENCE = "#/components/schemas/"
RANGES = {"ge": "minimum", "le": "maximum"}
OURS = {"x-antiphon-extension": True}


def ref(model: type[BaseModel] | str) -> Schema:
    return {"$ref": REFERENCE + (model if isinstance(model, str) else model.__name__)}


def components(models: Sequence[type[BaseModel]]) -> dict[str, Schema]:
    """The schemas of these models and of all they are made of."""
    _, made = models_json_schema(
        [(model, "validation") for model in models],
        ref_template=f"{REFERENCE}{{model}}",
        schema_generator=_Described,
    )
    return {name: _ranged(schema) for name, schema in made["$defs"].items()}


def inlined(model: type[BaseModel]) -> Schema:
    """The schema of one model that is made of no others."""
    made: Schema = _ranged(model.model_json_schema(schema_generator=_Described))
    return made


def _ranged(node: Any) -> Any:
    """Ranges in JSON Schema's words: pydantic leaves its own where a validator stands before."""
    if isinstance(node, list):
        return [_ranged(inner) for inner in node]
    if not isinstance(node, dict):
        return node
    return {RANGES.get(key, key): _ranged(value) for key, value in node.items()}


class _Described(GenerateJsonSchema):
    """Schemas as a reader of the reference wants them: described, without Python's traces."""

    def field_title_should_be_set(self, schema: object) -> bool:  # noqa: ARG002
        return False  # a title that repeats the field's name says nothing

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
            field.update(_words(model, name, field))
        missing = known.REQUIRED.get(model.__name__)
        return {**made, "required": missing} if missing else made


def _words(model: type[BaseModel], name: str, field: Schema) -> Schema:
    key = f"{model.__name__}.{name}"
    owner = next(cls for cls in model.__mro__ if name in inspect.get_annotations(cls))
    described = docstrings(owner).get(name, "")
    words: Schema = {"description": described} if described else {}
    if key in known.DEFAULTS:
        words["default"] = known.DEFAULTS[key]
    if key in known.VALUES:
        values = known.VALUES[key]
        words["examples"] = [values] if "array" in field.get("type", ()) else values
        named = ", ".join(f"`{value}`" for value in values)
        words["description"] = f"{described} Known values: {named}; newer ones pass.".strip()
    return words | (OURS if key in known.EXTENSIONS else {})


@cache
def docstrings(model: type[BaseModel]) -> dict[str, str]:
    """The string that stands below each field in the source of a class."""
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
