"""Converts pydantic's validation errors to InvalidRequest, with OpenAI's error codes."""

from typing import Any

from pydantic import ValidationError

from antiphon.errors import InvalidRequest
from antiphon.schema.json_offsets import MAX_PATH_CHARS

CODES = {
    "missing": "missing_required_parameter",
    "greater_than_equal": "below_min_value",
    "less_than_equal": "above_max_value",
    "string_too_long": "string_above_max_length",
    "string_too_short": "string_below_min_length",
    "too_short": "array_below_min_length",
    "too_many": "object_above_max_properties",
}
BOUND_KEYS = {"greater_than_equal": "ge", "less_than_equal": "le"}
MESSAGES = {  # with JSON's types in place of Python's
    "list_type": "Input should be an array",
    "dict_type": "Input should be an object",
    "model_type": "Input should be an object",
    "too_short": "Array should not be empty",
}


CHAT_TOOL = (
    " This tool is in the format of Chat Completions. Here its members stand beside 'type': "
    '{"type": "function", "name": "...", "parameters": {...}}.'
)


def missing_parameter(param: str, hint: str = "") -> InvalidRequest:
    """`hint` begins with a space."""
    message = f"Missing required parameter: '{param}'.{hint}"
    return InvalidRequest(message, param=param, code="missing_required_parameter")


def invalid_value(param: str, message: str) -> InvalidRequest:
    return InvalidRequest(message, param=param, code="invalid_value")


def validation_error(document: dict[str, Any], exc: ValidationError) -> InvalidRequest:
    """Build an error from the deepest of pydantic's errors; it never contains the input."""
    error = max(exc.errors(include_input=False, include_url=False), key=lambda e: len(e["loc"]))
    param, parent = _locate(document, error["loc"])
    if error["type"] == "missing":
        return missing_parameter(param)
    if error["type"] == "function_name" and _is_chat_tool(parent):
        return missing_parameter(param, CHAT_TOOL)
    code = CODES.get(error["type"], "invalid_type" if "type" in error["type"] else "invalid_value")
    if error["type"] in BOUND_KEYS:
        bound = error["ctx"][BOUND_KEYS[error["type"]]]
        code = f"{'decimal' if isinstance(bound, float) else 'integer'}_{code}"
    message = MESSAGES.get(error["type"], error["msg"])
    return InvalidRequest(f"Invalid '{param}': {message}.", param=param, code=code)


def _locate(document: Any, location: tuple[int | str, ...]) -> tuple[str, Any]:
    """Return pydantic's location as `input[0].role`, and the object or array of its last step.

    The location also has the names of a union's branches, which are no steps.
    """
    path, node, parent = "", document, document
    for step in location:
        if isinstance(step, int) and isinstance(node, list):
            path, parent, node = f"{path}[{step}]", node, node[step]
        elif isinstance(node, dict) and (step in node or _is_field_name(step)):
            path, parent, node = f"{path}.{step}", node, node.get(step)
    return path.removeprefix(".")[:MAX_PATH_CHARS], parent


def _is_chat_tool(value: Any) -> bool:
    """Whether the members of a function are one level deeper than they should be."""
    return "name" not in value and isinstance(value.get("function"), dict)


def _is_field_name(step: int | str) -> bool:
    """Fields of the API are in lower case; a union's branches have names of Python types."""
    return isinstance(step, str) and step.islower() and step != "str"
