"""Plays the tools of MCP servers: their list, requests for approval, and calls."""

import json
from collections.abc import Iterator, Sequence

from infra.local.simulator.errors import ApiError
from infra.local.simulator.items import Json, new_id
from infra.local.simulator.request_body import CreateRequest
from infra.local.simulator.tool_use import ToolUse

LIST = "mcp_list_tools"
DEFAULT_TOOLS = ("search",)  # of a server, unless the request has `allowed_tools`
FAILING_PREFIX = "fail"  # a call of a tool with such a name fails
INPUT_SCHEMA: Json = {
    "type": "object",
    "properties": {"query": {"type": "string"}},
    "required": ["query"],
    "additionalProperties": False,
}


def use_mcp_server(request: CreateRequest, tool: Json) -> ToolUse:
    """Calls one tool of the server, if its calls need no approval or have it."""
    label = str(tool["server_label"])
    listed = ToolUse(list(_list_tools(request, tool, label)))
    answers = list(_approval_responses(request, label))
    if answers:
        return sum((_follow(*each) for each in answers), listed)
    name = _choose_tool(request, tool)
    arguments = json.dumps({"query": request.question}, ensure_ascii=False)
    call = {"arguments": arguments, "name": name, "server_label": label}
    if _needs_approval(tool, name):
        question = {"id": new_id("mcpr"), "type": "mcp_approval_request", **call}
        return listed + ToolUse([question], is_waiting=True)
    return listed + _call(call, None)


def _list_tools(request: CreateRequest, tool: Json, label: str) -> Iterator[Json]:
    """Yields the list of the server's tools, unless it is in the context already."""
    known = {item.get("server_label") for item in request.context if item["type"] == LIST}
    if label not in known:
        tools = [
            {"name": name, "description": f"Plays {name}.", "input_schema": INPUT_SCHEMA}
            | {"annotations": {"read_only": True}}
            for name in _tool_names(tool)
        ]
        yield {
            "id": new_id("mcpl"),
            "type": LIST,
            "server_label": label,
            "tools": tools,
        }


def _tool_names(tool: Json) -> Sequence[str]:
    allowed = tool.get("allowed_tools") or []
    names = allowed.get("tool_names") if isinstance(allowed, dict) else allowed
    return names or DEFAULT_TOOLS


def _choose_tool(request: CreateRequest, tool: Json) -> str:
    entries = request.tool_choice.entries or []
    chosen = [str(entry["name"]) for entry in entries if entry.get("name")]
    names = [*chosen, *_tool_names(tool)]
    return next((name for name in names if request.mentions(name)), names[0])


def _needs_approval(tool: Json, name: str) -> bool:
    rule = tool.get("require_approval") or "always"
    if isinstance(rule, str):
        return rule != "never"
    if rule.get("always"):
        return name in rule["always"].get("tool_names", [])
    return name not in (rule.get("never") or {}).get("tool_names", [])


def _approval_responses(request: CreateRequest, label: str) -> Iterator[tuple[Json, Json]]:
    """Yields the user's answers for a server, each with its question."""
    questions = {
        item["id"]: item for item in request.context if item["type"] == "mcp_approval_request"
    }
    for item in request.recent_items:
        if item["type"] == "mcp_approval_response":
            id = item.get("approval_request_id")
            if id not in questions:
                raise ApiError(400, f"Approval request with id '{id}' not found.", None, "input")
            if questions[id]["server_label"] == label:
                yield item, questions[id]


def _follow(answer: Json, question: Json) -> ToolUse:
    if not answer.get("approve"):
        return ToolUse(text=f" You did not approve the call of {question['name']}.")
    call = {key: question[key] for key in ("arguments", "name", "server_label")}
    return _call(call, question["id"])


def _call(call: Json, approval_request_id: str | None) -> ToolUse:
    has_failed = call["name"].startswith(FAILING_PREFIX)
    output = f"A result of {call['name']}."
    content = [{"type": "text", "text": "The tool failed.", "annotations": None, "meta": None}]
    error = {"type": "mcp_tool_execution_error", "content": content}
    item: Json = {
        "id": new_id("mcp"),
        "type": "mcp_call",
        "status": "failed" if has_failed else "completed",
        "approval_request_id": approval_request_id,
        **call,
        "output": None if has_failed else output,
        "error": error if has_failed else None,
    }
    return ToolUse([item], " The tool failed." if has_failed else f" The tool answered: {output}")
