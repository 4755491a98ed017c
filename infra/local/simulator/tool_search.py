"""Plays `tool_search`: tools with `defer_loading` are loaded before the model calls them.

OpenAI runs the search unless its `execution` is `client`. The search and the tools that it found
are items before the call, and clients refuse a call of a deferred tool without them.
"""

from collections.abc import Iterator, Sequence

from infra.local.simulator.items import Json, new_id

SEARCH = "tool_search"


def is_deferred(tool: Json) -> bool:
    """Whether the model does not know the tool before a search."""
    return tool.get("defer_loading") is True


def can_search(tools: Sequence[Json]) -> bool:
    """Whether the request has a search that OpenAI runs."""
    searches = [tool for tool in tools if tool.get("type") == SEARCH]
    return any(tool.get("execution") != "client" for tool in searches)


def search_tools(tools: Sequence[Json], called: Sequence[Json]) -> list[Json]:
    """Returns the search for the deferred ones among the called tools, and what it found.

    Nothing is returned if none of them is deferred, or if the request has no search.
    """
    wanted = [tool for tool in called if is_deferred(tool)]
    if not wanted or not can_search(tools):
        return []
    paths = list(dict.fromkeys(str(tool.get("namespace") or tool["name"]) for tool in wanted))
    found = list(_loaded(tools, paths, wanted))
    return [
        _build_item("tsc", "tool_search_call") | {"arguments": {"paths": paths}},
        _build_item("tso", "tool_search_output") | {"tools": found},
    ]


def _loaded(tools: Sequence[Json], paths: Sequence[str], wanted: Sequence[Json]) -> Iterator[Json]:
    """Yields the found tools; a namespace comes with those of its members that are called."""
    names = [tool["name"] for tool in wanted]
    for tool in tools:
        if tool.get("name") not in paths:
            continue
        if tool["type"] == "namespace":
            members = [each for each in tool.get("tools") or [] if each.get("name") in names]
            yield {**tool, "tools": members}
        elif is_deferred(tool):
            yield tool


def call_namespace(tool: Json) -> str | None:
    """Returns the namespace in a tool's call: a deferred function is in one of its own name."""
    own = tool["name"] if is_deferred(tool) and tool.get("name") else None
    return tool.get("namespace") or own


def _build_item(prefix: str, type: str) -> Json:
    shared = {"execution": "server", "call_id": None, "status": "completed"}
    return {"id": new_id(prefix), "type": type, **shared}
