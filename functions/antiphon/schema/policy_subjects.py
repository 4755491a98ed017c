"""What policies judge in a request body, wherever it stands in it: tools, servers, addresses.

The name of a member decides, not its place: items that are newer than this gateway nest tools and
addresses alike. A name in another case counts as well, since a reader may not distinguish it.
"""

from collections.abc import Mapping
from typing import Any, Literal

from antiphon.schema.json_offsets import MAX_PATH_CHARS
from antiphon.schema.resource_references import NOT_ENTERED, PLAIN_NAMES, VARIABLES

type SubjectKind = Literal["tool", "mcp_url", "mcp_label", "connector", "url", "effort"]
type _Step = str | int  # the name of a member, or the index of an element
type _Nodes = list[tuple[Any, _Path, str]]
type _Path = tuple[_Path, _Step] | None  # from the innermost step: most paths are never needed

TOOLS, TOOL_CHOICE, MODES = "tools", "tool_choice", {"none", "auto", "required"}
# The type of a choice that only lists tools, and of the items that repeat what a server listed.
ALLOWED_TOOLS, LISTED_TOOLS = "allowed_tools", "mcp_list_tools"
LISTED = "tools that a server listed"  # in place of the name of their member
KINDS: Mapping[str, SubjectKind] = {
    TOOLS: "tool",
    TOOL_CHOICE: "tool",
    "server_url": "mcp_url",
    "server_label": "mcp_label",
    "connector_id": "connector",
    "image_url": "url",
    "file_url": "url",
    "effort": "effort",
    "reasoning_effort": "effort",
}
NEVER_JUDGED = PLAIN_NAMES - KINDS.keys()
URL = "url"  # in an `image_url` that is an object
NESTED = {dict, list}


# A value that a policy may forbid, and where it stands; anything but a text is of a wrong type.
type Subject = tuple[SubjectKind, Any, _Path]


def path_of(steps: _Path) -> str:
    """Return a path like `input[0].tools[1].type`; each part may be a long key of the caller's."""
    parts: list[str] = []
    while steps is not None:
        steps, step = steps
        parts.append(f".{step[:MAX_PATH_CHARS]}" if isinstance(step, str) else f"[{step}]")
    return "".join(reversed(parts)).removeprefix(".")[:MAX_PATH_CHARS]


def policy_subjects(body: Mapping[str, Any]) -> list[Subject]:
    """Return what policies judge in a parsed body: in its order, the outer levels first."""
    found: list[Subject] = []
    # An object or array, its path, and the name of the member that has it; arrays pass it on.
    nodes: _Nodes = [(body, None, "")]
    for node, path, name in nodes:  # which grows meanwhile
        if type(node) is list:
            _add_elements(node, path, name, nodes, found)
        elif name == VARIABLES:  # the caller chooses their names
            nodes += [(each, (path, n), "") for n, each in node.items() if type(each) in NESTED]
        else:
            if name in KINDS or name == LISTED:
                _add_object(node, path, name, found)
            _add_members(node, path, name, nodes, found)
    return found


def _add_elements(
    node: list[Any], path: _Path, name: str, nodes: _Nodes, found: list[Subject]
) -> None:
    for n, child in enumerate(node):
        if type(child) in NESTED:
            nodes.append((child, (path, n), name))
        elif name in KINDS and child is not None:
            found.append((KINDS[name], child, (path, n)))


def _add_object(node: dict[str, Any], path: _Path, name: str, found: list[Subject]) -> None:
    """Add what an object is by the name of its member: a tool, or no text where one belongs."""
    kind = KINDS.get(name, "tool")
    if kind == "tool":
        type_ = node.get("type")
        is_list = name == TOOL_CHOICE and type_ == ALLOWED_TOOLS
        if not is_list and (name != LISTED or "type" in node):
            found.append(("tool", type_, (path, "type")))
    elif kind != "url":
        found.append((kind, node, path))


def _add_members(
    node: dict[str, Any], path: _Path, name: str, nodes: _Nodes, found: list[Subject]
) -> None:
    for member, child in node.items():
        if type(child) in NESTED:
            if child and member not in NOT_ENTERED:
                nodes.append((child, (path, member), _name_below(node, member)))
        elif member not in NEVER_JUDGED:  # most members: no more is done for them
            kind = _kind(name, member.casefold(), child)
            if kind is not None:
                found.append((kind, child, (path, member)))


def _kind(name: str, key: str, value: Any) -> SubjectKind | None:
    """Return what a scalar is by its own key, and by the name of the object that has it."""
    if value is None or (key == TOOL_CHOICE and value in MODES):
        return None
    if key == URL:
        return KINDS[name] if KINDS.get(name) == "url" else None
    return KINDS.get(key)


def _name_below(node: dict[str, Any], member: str) -> str:
    """Return the name that decides below a member."""
    key = member.casefold()
    return LISTED if key == TOOLS and node.get("type") == LISTED_TOOLS else key
