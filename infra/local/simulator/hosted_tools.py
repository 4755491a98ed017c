"""Uses the tools that a provider runs itself, such as file search and code interpreter."""

from collections.abc import Callable, Iterable, Mapping
from secrets import token_hex
from typing import Any

from infra.local.simulator.container import DEFAULT_MEMORY, FOLDER, Container, ContainerFile
from infra.local.simulator.file import Content
from infra.local.simulator.file_search import SearchResult, search_files
from infra.local.simulator.image_generation import generate_image
from infra.local.simulator.items import Json, new_id
from infra.local.simulator.mcp import use_mcp_server
from infra.local.simulator.request_body import CreateRequest
from infra.local.simulator.tool_choice import tool_family
from infra.local.simulator.tool_use import ToolUse
from infra.local.simulator.web_search import search_web

RESULTS = "file_search_call.results"  # values of `include`
OUTPUTS = "code_interpreter_call.outputs"
MAX_RESULTS = 20
MAX_CITATIONS = 3
RESULT_FILE = "result.txt"
RUN_BY_PROVIDER = "Used once in each response, unless tool_choice excludes it"
RUN_BY_CLIENT = "Called when the last message of the user has the word"
ABOUT_TOOLS: Mapping[str, str] = {
    "function, custom": "Called when the last message of the user has the name of the tool, or "
    "tool_choice requires it; a message with several names gets several calls.",
    "shell, local_shell, apply_patch, computer": f"{RUN_BY_CLIENT} shell, apply_patch and so on.",
    "tool_search": "Used before a tool with defer_loading is called.",
    "web_search": f"{RUN_BY_PROVIDER}; cites a page of the first of filters.allowed_domains.",
    "file_search": f"{RUN_BY_PROVIDER}; finds the words of the message in the stores' files.",
    "code_interpreter": f"{RUN_BY_PROVIDER}; writes the message into result.txt of a container. "
    "A shell with a container does the same.",
    "image_generation": f"{RUN_BY_PROVIDER}; the image is a PNG of one color.",
    "mcp": f"{RUN_BY_PROVIDER}; calls the tool that the message names, or the first of "
    "allowed_tools, after approval unless require_approval is never. Names that begin with "
    "fail have a call that fails.",
}


def use_hosted_tools(request: CreateRequest) -> ToolUse:
    """Uses each tool once that the request has and allows, at most `max_tool_calls` of them."""
    tools = [
        tool
        for tool in request.tools
        if tool_family(tool.get("type")) in _TOOLS and request.tool_choice.allows(tool)
    ]
    uses = (
        _TOOLS[tool_family(tool["type"])](request, tool)
        for tool in tools[: request.body.get("max_tool_calls")]
    )
    return sum(uses, ToolUse())


def _search_files(request: CreateRequest, tool: Json) -> ToolUse:
    query = request.question
    stores = [request.project.find_vector_store(id) for id in tool.get("vector_store_ids") or []]
    files = [file for store in stores for file in store.files.values()]
    results = search_files(files, query, tool.get("filters"))
    results = results[: tool.get("max_num_results") or MAX_RESULTS]
    call: Json = {
        "id": new_id("fs"),
        "type": "file_search_call",
        "status": "completed",
        "queries": [query],
        "results": None,
    }
    if RESULTS in request.include:
        call["results"] = [{**result.fields, "text": result.text} for result in results]
    return sum((_cite(result) for result in results[:MAX_CITATIONS]), ToolUse([call]))


def _cite(result: SearchResult) -> ToolUse:
    file = result.stored.file
    text = f" The file {file.filename} has: {result.text}"
    citation = {"type": "file_citation", "file_id": file.id, "filename": file.filename}
    return ToolUse(text=text, annotations=[{**citation, "index": len(text)}])


def _interpret_code(request: CreateRequest, tool: Json) -> ToolUse:
    container = _choose_container(request, tool.get("container"), "code_interpreter")
    call: Json = {
        "id": new_id("ci"),
        "type": "code_interpreter_call",
        "status": "completed",
        "code": f"open('{FOLDER}{RESULT_FILE}', 'w').write(question)\nprint(len(question))",
        "container_id": container.id,
        "outputs": None,
    }
    if OUTPUTS in request.include:
        call["outputs"] = [{"type": "logs", "logs": f"{len(request.question)}\n"}]
    return ToolUse([call]) + _make_file(request, container)


def _run_commands(request: CreateRequest, tool: Json) -> ToolUse:
    environment = tool.get("environment") or {"type": "local"}
    if environment.get("type") == "local":
        return ToolUse()  # the commands would be for the client to run
    container = _choose_container(request, environment, "shell")
    call_id = f"call_{token_hex(12)}"
    call: Json = {
        "id": new_id("sh"),
        "type": "shell_call",
        "status": "completed",
        "call_id": call_id,
        "action": {"commands": [f"ls {FOLDER}"], "timeout_ms": None, "max_output_length": None},
        "environment": {"type": "container_reference", "container_id": container.id},
    }
    names = [file.filename for file in request.project.files_in(container)]
    result = {"stdout": "\n".join(names), "stderr": "", "outcome": {"type": "exit", "exit_code": 0}}
    output: Json = {
        "id": new_id("sho"),
        "type": "shell_call_output",
        "status": "completed",
        "call_id": call_id,
        "max_output_length": None,
        "output": [result],
    }
    return ToolUse([call, output]) + _make_file(request, container)


def _choose_container(request: CreateRequest, container: Any, name: str) -> Container:
    """Returns the container that the tool names, one of an earlier call, or a new one."""
    description = container if isinstance(container, Mapping) else {"container_id": container}
    if description.get("container_id"):
        return request.project.find_container(description["container_id"])
    earlier = [_call_container(item) for item in reversed(request.context)]
    for id in filter(None, earlier):
        found = request.project.containers.get(id)
        if found and not found.is_expired:
            found.touch()
            return found
    new = Container(
        name,
        memory_limit=description.get("memory_limit") or DEFAULT_MEMORY,
        network_policy=description.get("network_policy"),
    )
    return request.project.add_container(new, description.get("file_ids") or [], "tools")


def _call_container(item: Json) -> str | None:
    environment = item.get("environment") or {}
    id = item.get("container_id") or environment.get("container_id")
    return str(id) if id and item["type"] in {"code_interpreter_call", "shell_call"} else None


def _make_file(request: CreateRequest, container: Container) -> ToolUse:
    """Writes the question into a file of the container, and links to it."""
    data = request.question.encode(errors="replace")
    made = ContainerFile(
        container.id, RESULT_FILE, Content(data or b" ", len(data)), source="assistant"
    )
    request.project.add_container_file(made)
    text = f" It is in [{RESULT_FILE}](sandbox:{FOLDER}{RESULT_FILE})."
    annotation = {
        "type": "container_file_citation",
        "container_id": container.id,
        "file_id": made.id,
        "filename": RESULT_FILE,
        "start_index": text.index("["),
        "end_index": len(text) - 1,
    }
    return ToolUse(text=text, annotations=[annotation])


def read_input_files(request: CreateRequest) -> Iterable[tuple[str, str]]:
    """Yields the name and the text of each file that the input has by id."""
    for item in request.input_items:
        parts = item.get("content") if item["type"] == "message" else item.get("output")
        for part in parts if isinstance(parts, list) else []:
            if part.get("file_id") and request.project.files.get(part["file_id"]):
                file = request.project.find_file(part["file_id"])
                yield file.filename, file.content.text


_TOOLS: Mapping[str, Callable[[CreateRequest, Json], ToolUse]] = {
    "web_search": search_web,
    "image_generation": generate_image,
    "mcp": use_mcp_server,
    "file_search": _search_files,
    "code_interpreter": _interpret_code,
    "shell": _run_commands,
}
