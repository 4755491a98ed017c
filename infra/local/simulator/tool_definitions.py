"""Checks the definitions of tools, the choice among them, and the format of the text."""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from infra.local.simulator.errors import ApiError, invalid_parameter, missing_parameter, too_long
from infra.local.simulator.items import Json
from infra.local.simulator.parameters import check_value
from infra.local.simulator.strict_schemas import find_fault
from infra.local.simulator.tool_choice import IDENTITIES, MODES, ToolChoice, is_choice

NAME = re.compile(r"[a-zA-Z0-9_-]+")
MAX_FUNCTION_NAME = 128
MAX_FORMAT_NAME = 64
FORMATS = ("text", "json_schema", "json_object")
NAMED_TYPES = ("function", "custom")  # of tools, whose names share one list


def check_tools(body: Json) -> None:
    """Raise ApiError for the first invalid tool."""
    names: set[str] = set()
    for param, tool in _named_tools(body.get("tools") or (), "tools"):
        check_name(tool.get("name"), f"{param}.name", MAX_FUNCTION_NAME)
        if tool["name"] in names:
            fault = f"the name '{tool['name']}' is used by more than one tool."
            raise invalid_parameter(f"{param}.name", fault, "invalid_value")
        names.add(tool["name"])
        _check_parameters(tool, f"{param}.parameters")


def _named_tools(tools: Any, path: str) -> Iterator[tuple[str, Json]]:
    """Yield functions and custom tools with their places."""
    for index, tool in enumerate(tools):
        param = f"{path}[{index}]"
        if tool.get("type") is None:
            raise missing_parameter(f"{param}.type")
        if tool["type"] in NAMED_TYPES:
            yield param, tool
        if tool["type"] == "mcp" and not tool.get("server_label"):
            raise missing_parameter(f"{param}.server_label")


def check_name(name: Any, param: str, maximum: int) -> None:
    """Raise ApiError for an absent or invalid name."""
    if name is None:
        raise missing_parameter(param)
    if not NAME.fullmatch(name):
        fault = (
            "string does not match pattern. Expected a string that matches the pattern"
            " '^[a-zA-Z0-9_-]+$'."
        )
        raise invalid_parameter(param, fault, "invalid_value")
    if len(name) > maximum:
        raise invalid_parameter(param, too_long(name, maximum), "string_above_max_length")


def _check_parameters(tool: Json, param: str) -> None:
    if tool["type"] == "function" and tool.get("parameters") is not None:
        fault = find_fault(tool["parameters"], is_strict=bool(tool.get("strict")))
        if fault:
            message = f"Invalid schema for function '{tool['name']}': {fault}"
            raise ApiError(400, message, "invalid_function_parameters", param)


def check_tool_choice(body: Json) -> None:
    """Raise ApiError for a choice that does not exist, or of a tool that the request lacks."""
    value, tools = body.get("tool_choice"), body.get("tools") or []
    choice = ToolChoice.parse(value)
    check_value(choice.mode, MODES, "tool_choice")
    if value == "required" and not tools:
        message = "Tool choice 'required' must be specified with 'tools' parameter."
        raise ApiError(400, message, None, "tool_choice")
    for entry in choice.entries or ():
        _check_entry(entry, tools)


def _check_entry(entry: Mapping[str, Any], tools: list[Json]) -> None:
    type = str(entry.get("type"))
    for name in IDENTITIES.get(type, ()):
        if entry.get(name) is None:
            raise missing_parameter(f"tool_choice.{name}")
    if not any(is_choice(dict(entry), tool) for tool in tools):
        name = next((entry[key] for key in ("name", "server_label") if entry.get(key)), type)
        message = f"Tool choice '{name}' not found in 'tools' parameter."
        raise ApiError(400, message, None, "tool_choice")


def check_text_format(body: Json) -> None:
    """Raise ApiError for an invalid format of the text."""
    text_format = (body.get("text") or {}).get("format")
    if text_format is None:
        return
    if text_format.get("type") is None:
        raise missing_parameter("text.format.type")
    check_value(text_format["type"], FORMATS, "text.format.type")
    if text_format["type"] == "json_schema":
        _check_schema_format(text_format)


def check_json_word(text_format: Json, texts: Iterable[str]) -> None:
    """Raise ApiError for `json_object` without the word that it needs in the input."""
    if text_format["type"] == "json_object" and not any("json" in each.lower() for each in texts):
        message = (
            "Response input messages must contain the word 'json' in some form to use"
            " 'text.format' of type 'json_object'."
        )
        raise ApiError(400, message, None, "input")


def _check_schema_format(text_format: Json) -> None:
    check_name(text_format.get("name"), "text.format.name", MAX_FORMAT_NAME)
    if text_format.get("schema") is None:
        raise missing_parameter("text.format.schema")
    fault = find_fault(text_format["schema"], is_strict=bool(text_format.get("strict")))
    if fault:
        message = f"Invalid schema for response_format '{text_format['name']}': {fault}"
        raise ApiError(400, message, "invalid_json_schema", "text.format.schema")
