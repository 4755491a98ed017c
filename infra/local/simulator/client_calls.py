"""Calls of tools that the client runs: functions, custom tools, shells, patches and computers.

A tool is called when the last message of the user has its name, or its type if it has no name, and
when `tool_choice` requires a call. After the output of a call the model answers in text.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from secrets import token_hex

from infra.local.simulator.items import Json, build_function_call, new_id
from infra.local.simulator.request_body import CreateRequest
from infra.local.simulator.schema_values import build_value
from infra.local.simulator.tool_choice import tool_family
from infra.local.simulator.tool_search import call_namespace, search_tools

WEATHER_FUNCTION: Json = {
    "type": "function",
    "name": "get_weather",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
}
SCREENSHOT: Json = {"type": "screenshot"}


def choose_calls(request: CreateRequest) -> list[Json]:
    """Returns the calls that the request needs, behind the search for those not yet loaded."""
    tools = [tool for tool in _client_tools(request.tools) if request.tool_choice.allows(tool)]
    if request.tool_outputs:
        return []
    chosen = [tool for tool in tools if request.mentions(_call_name(tool))]
    if not chosen and request.tool_choice.mode == "required":
        chosen = tools[:1]
    called = chosen[: None if request.is_parallel else 1]
    found = search_tools(request.tools, called)
    return [*found, *(_build_call(request, tool) for tool in called)]


def call_any_function(request: CreateRequest) -> list[Json]:
    """Returns a call of a function even if the request does not need one."""
    functions = [tool for tool in _client_tools(request.tools) if tool.get("type") == "function"]
    tool = (functions or [WEATHER_FUNCTION])[0]
    return choose_calls(request) or [_build_call(request, tool)]


def _client_tools(tools: Iterable[Json]) -> Iterator[Json]:
    """Yields the tools that the client runs, those in a namespace with its name."""
    for tool in tools:
        if tool.get("type") == "namespace":
            members = _client_tools(tool.get("tools") or [])
            yield from ({**member, "namespace": tool["name"]} for member in members)
        elif tool_family(tool.get("type")) in _CALLS and not _runs_at_provider(tool):
            yield tool


def _runs_at_provider(tool: Json) -> bool:
    """Whether it is a shell in a container of the provider."""
    is_shell = tool.get("type") == "shell"
    return is_shell and (tool.get("environment") or {"type": "local"})["type"] != "local"


def _call_name(tool: Json) -> str:
    return str(tool.get("name") or tool_family(tool["type"]))


def _build_call(request: CreateRequest, tool: Json) -> Json:
    name = call_namespace(tool)
    call = _CALLS[tool_family(tool["type"])](request, tool)
    return call if name is None else {**call, "namespace": name}


def _call_function(_request: CreateRequest, tool: Json) -> Json:
    arguments = json.dumps(build_value(tool.get("parameters") or {"type": "object"}))
    return build_function_call(tool["name"], arguments)


def _call_custom_tool(request: CreateRequest, tool: Json) -> Json:
    call = _new_call("ctc", "custom_tool_call")
    return {**call, "name": tool["name"], "input": request.question}


def _call_local_shell(_request: CreateRequest, _tool: Json) -> Json:
    action: Json = {"type": "exec", "command": ["ls"], "env": {}, "timeout_ms": None}
    return {**_new_call("lsh", "local_shell_call"), "action": action}


def _call_shell(_request: CreateRequest, _tool: Json) -> Json:
    action = {"commands": ["ls"], "timeout_ms": None, "max_output_length": None}
    call = _new_call("sh", "shell_call")
    return {**call, "action": action, "environment": {"type": "local"}}


def _apply_patch(request: CreateRequest, _tool: Json) -> Json:
    diff = "".join(f"+{line}\n" for line in request.question.splitlines())
    operation = {"type": "create_file", "path": "question.txt", "diff": diff}
    return {**_new_call("apc", "apply_patch_call"), "operation": operation}


def _use_computer(_request: CreateRequest, tool: Json) -> Json:
    is_preview = tool["type"] != "computer"
    action = {"action": SCREENSHOT} if is_preview else {"actions": [SCREENSHOT]}
    return {**_new_call("cu", "computer_call"), **action, "pending_safety_checks": []}


def _new_call(prefix: str, type: str) -> Json:
    call_id = f"call_{token_hex(12)}"
    return {"id": new_id(prefix), "type": type, "status": "completed", "call_id": call_id}


_CALLS: Mapping[str, Callable[[CreateRequest, Json], Json]] = {
    "function": _call_function,
    "custom": _call_custom_tool,
    "local_shell": _call_local_shell,
    "shell": _call_shell,
    "apply_patch": _apply_patch,
    "computer": _use_computer,
}
