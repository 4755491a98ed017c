"""Uses the tools that a provider runs itself: file search, code interpreter and shell."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from secrets import token_hex
from typing import Any

from infra.local.simulator.container import DEFAULT_MEMORY, FOLDER, Container, ContainerFile
from infra.local.simulator.file import Content
from infra.local.simulator.file_search import SearchResult, search_files
from infra.local.simulator.items import Json, new_id
from infra.local.simulator.request_body import CreateRequest

RESULTS = "file_search_call.results"  # values of `include`
OUTPUTS = "code_interpreter_call.outputs"
MAX_RESULTS = 20
MAX_CITATIONS = 3
RESULT_FILE = "result.txt"


@dataclass(frozen=True)
class ToolUse:
    """The items of the calls, and what the message after them says about their results."""

    items: list[Json] = field(default_factory=list)
    text: str = ""
    annotations: list[Json] = field(default_factory=list)

    def add_to(self, message: Json) -> Json:
        """Returns the message with this text behind its own."""
        part = message["content"][0]
        moved = [_move(annotation, len(part["text"])) for annotation in self.annotations]
        text = part["text"] + self.text
        return {**message, "content": [{**part, "text": text, "annotations": moved}]}

    def __add__(self, other: "ToolUse") -> "ToolUse":
        annotations = [_move(annotation, len(self.text)) for annotation in other.annotations]
        return ToolUse(
            [*self.items, *other.items],
            self.text + other.text,
            [*self.annotations, *annotations],
        )


def _move(annotation: Json, count: int) -> Json:
    places = {key: annotation[key] + count for key in _PLACES if key in annotation}
    return {**annotation, **places}


_PLACES = ("index", "start_index", "end_index")


def use_hosted_tools(request: CreateRequest) -> ToolUse:
    """Uses each tool once that the request has and allows."""
    choice = request.body.get("tool_choice") or "auto"
    kind = choice.get("type") if isinstance(choice, Mapping) else choice
    total = ToolUse()
    for tool in request.tools:
        use = _TOOLS.get(str(tool.get("type")))
        if use and kind in {"auto", "required", "allowed_tools", tool["type"]}:
            total += use(request, tool)
    return total


def _search_files(request: CreateRequest, tool: Json) -> ToolUse:
    query = _question(request)
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
        call["outputs"] = [{"type": "logs", "logs": f"{len(_question(request))}\n"}]
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
    data = _question(request).encode(errors="replace")
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


def _question(request: CreateRequest) -> str:
    return "".join(request.user_texts[-1:])


def read_input_files(request: CreateRequest) -> Iterable[tuple[str, str]]:
    """Yields the name and the text of each file that the input has by id."""
    for item in request.input_items:
        parts = item.get("content") if item["type"] == "message" else item.get("output")
        for part in parts if isinstance(parts, list) else []:
            if part.get("file_id") and request.project.files.get(part["file_id"]):
                file = request.project.find_file(part["file_id"])
                yield file.filename, file.content.text


_TOOLS: Mapping[str, Callable[[CreateRequest, Json], ToolUse]] = {
    "file_search": _search_files,
    "code_interpreter": _interpret_code,
    "shell": _run_commands,
}
