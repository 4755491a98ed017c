"""Refuses what OpenAI refuses in a create request and older code still sends.

Names of parameters that are unknown or have moved, roles, and types of content.
"""

from collections.abc import Iterator, Sequence

from antiphon.schema.create import CreateResponse
from infra.local.simulator.errors import ApiError
from infra.local.simulator.items import Json

# The gateway does not check these; it renames `max_tokens`. Codex sends `client_metadata`.
UNCHECKED = {"multi_agent", "allowed_callers", "client_metadata"}
KNOWN = {*CreateResponse.model_fields, *UNCHECKED} - {"max_tokens"}
MOVED = {  # from Chat Completions
    "response_format": "text.format",
    "reasoning_effort": "reasoning.effort",
    "verbosity": "text.verbosity",
    "max_completion_tokens": "max_output_tokens",
    "max_tokens": "max_output_tokens",
    "messages": "input",
    "functions": "tools",
    "function_call": "tool_choice",
}
ROLES = ("assistant", "system", "developer", "user")
CONTENT_TYPES = (
    "input_text",
    "input_image",
    "output_text",
    "refusal",
    "input_file",
    "computer_screenshot",
    "summary_text",
)
ROLE_CONTENT_TYPES = {
    "assistant": ("output_text", "refusal"),
    **dict.fromkeys(("system", "developer", "user"), ("input_text", "input_image", "input_file")),
}


def check_parameters(body: Json) -> None:
    """Raise ApiError for the first name that is no parameter."""
    for name in body:
        if name in MOVED:
            raise ApiError(
                400,
                f"Unsupported parameter: '{name}'. In the Responses API, this parameter has moved "
                f"to '{MOVED[name]}'. Try again with the new parameter.",
                "unsupported_parameter",
                name,
            )
        if name not in KNOWN:
            raise ApiError(400, f"Unknown parameter: '{name}'.", "unknown_parameter", name)


def check_messages(body: Json) -> None:
    """Raise ApiError for the first role or type of content that does not exist."""
    items = body.get("input")
    for n, item in enumerate(items if isinstance(items, list) else ()):
        if isinstance(item, dict) and item.get("type", "message") == "message":
            check_value(item.get("role"), ROLES, f"input[{n}].role")
            for param, type in _content_types(item, f"input[{n}].content"):
                check_value(type, CONTENT_TYPES, param)
                allowed = ROLE_CONTENT_TYPES.get(item.get("role", ""), CONTENT_TYPES)
                check_value(type, allowed, param.removesuffix(".type"))


def _content_types(item: Json, param: str) -> Iterator[tuple[str, object]]:
    content = item.get("content")
    for n, part in enumerate(content if isinstance(content, list) else ()):
        if isinstance(part, dict):
            yield f"{param}[{n}].type", part.get("type")


def check_value(value: object, supported: Sequence[str], param: str) -> None:
    """Raise ApiError for a value that is not supported; None is as good as absent."""
    if value is None or value in supported:
        return
    message = f"Invalid value: {value!r}. Supported values are: {list_values(supported)}."
    raise ApiError(400, message, "invalid_value", param)


def list_values(values: Sequence[str]) -> str:
    *first, last = map(repr, values)
    return f"{', '.join(first)}, and {last}" if len(first) > 1 else " and ".join([*first, last])
