"""The files, containers and other resources that a request body names, wherever they stand in it.

A provider looks each of their ids up with the credential of its target, which the tenants share.
The name of a member decides whether it is an id, not its place: tools and items that are newer
than this gateway name their resources alike. The places of today:
https://platform.openai.com/docs/api-reference/responses/create
"""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Literal, get_args

from antiphon.schema.json_offsets import MAX_PATH_CHARS
from antiphon.schema.validation_errors import invalid_value

type ReferencedKind = Literal["file", "vector_store", "container", "skill", "prompt", "tunnel"]
type ResourceReference = tuple[str, ReferencedKind, str]  # path in the body, kind, id

KIND_BY_NAME: Mapping[str, ReferencedKind] = {
    "file_id": "file",
    "file_ids": "file",
    "input_file_id": "file",
    "vector_store_id": "vector_store",
    "vector_store_ids": "vector_store",
    "container": "container",
    "container_id": "container",
    "skill_id": "skill",
    "tunnel_id": "tunnel",
}
# What an object of this name, such as `prompt`, has as its `id`.
KIND_BY_OBJECT: Mapping[Any, ReferencedKind] = {
    kind: kind for kind in get_args(ReferencedKind.__value__)
}
OWN_SKILL = re.compile(r"(?!\s*skill_)", re.IGNORECASE)  # OpenAI's own: `openai-spreadsheets`
URL_NAMES = {"image_url", "file_url", "url"}
FILE_URL = re.compile(r"\s*sediment:", re.IGNORECASE)  # ChatGPT names its files by such URLs
LOOKED_AT = {*KIND_BY_NAME, *URL_NAMES, "id"}
VARIABLES = "variables"  # of a prompt: the caller chooses their names, and a text is no id
# A provider looks nothing up in these: schemas, maps whose names somebody chooses, and what
# repeats a part of an earlier answer.
NOT_ENTERED = {
    *("annotations", "results", "arguments", "parameters", "schema", "input_schema"),
    *("metadata", "client_metadata", "attributes", "filters", "headers", "env"),
}
NESTED = {dict, list}
SUSPECTS = {*KIND_BY_NAME, *KIND_BY_OBJECT, *URL_NAMES, VARIABLES}
# The usual names of members of messages and functions, for which no other case need be tried.
PLAIN_NAMES = {
    *("role", "content", "type", "text", "name", "description", "parameters", "strict", "id"),
    *("call_id", "output", "arguments", "status", "model", "input", "tools", "stream", "metadata"),
}

type _Step = str | int  # the name of a member, or the index of an element
type _Parts = Iterator[tuple[_Step, Any, ReferencedKind | None]]


def resource_references(
    value: Mapping[str, Any] | list[Any], path: str = ""
) -> Iterator[ResourceReference]:
    """Yield the ids of resources in a parsed body, or in its part that stands at `path`.

    What stands in place of an id and is no text is yielded as JSON: it can belong to nobody.
    Raise InvalidRequest for a name that differs only in case from the name of an id.
    """
    return _walk(value, path) if _may_name_any(value) else iter(())


def _walk(value: Any, path: str) -> Iterator[ResourceReference]:
    levels: list[tuple[_Step, _Parts]] = [(path, _parts(path, value, None))]
    while levels:
        for step, child, kind in levels[-1][1]:
            if kind is not None:
                _check_case(levels, step)
            if type(child) in NESTED:
                levels.append((step, _parts(step, child, kind)))
                break
            if kind is not None:
                yield _path(levels, step), kind, _id(child)
        else:
            levels.pop()


def _may_name_any(value: Any) -> bool:
    """Whether any name may be that of an id: most bodies have none, and this costs little."""
    nodes = [value]
    while nodes:
        node = nodes.pop()
        if type(node) is list:
            nodes += [each for each in node if type(each) in NESTED]
            continue
        for name, child in node.items():
            if name not in PLAIN_NAMES and name.casefold() in SUSPECTS:
                return True
            if type(child) in NESTED and name not in NOT_ENTERED:
                nodes.append(child)
    return False


def _parts(step: _Step, node: Any, kind: ReferencedKind | None) -> _Parts:
    """Yield what must be looked at in an object or array, with the kind of id that it may be."""
    if type(node) is list:
        return _elements(node, kind)
    if step == VARIABLES:
        return ((name, child, None) for name, child in node.items() if type(child) in NESTED)
    return _members(node, kind or KIND_BY_OBJECT.get(str(step).casefold()))


def _elements(node: list[Any], kind: ReferencedKind | None) -> _Parts:
    for n, child in enumerate(node):
        if type(child) in NESTED or (kind is not None and child is not None):
            yield n, child, kind


def _members(node: Mapping[str, Any], kind_of_id: ReferencedKind | None) -> _Parts:
    for name, child in node.items():
        if type(child) in NESTED:
            if child and name not in NOT_ENTERED:
                yield name, child, KIND_BY_NAME.get(name.casefold())
        elif name.casefold() in LOOKED_AT and child is not None:
            kind = kind_of_id if name.casefold() == "id" else _kind(name, child)
            if kind is not None:
                yield name, child, kind


def _kind(name: str, value: Any) -> ReferencedKind | None:
    """Return the kind of resource that a member names; None if it names none."""
    if name in URL_NAMES:
        return "file" if type(value) is str and FILE_URL.match(value) else None
    kind = KIND_BY_NAME.get(name.casefold())
    is_own_skill = kind == "skill" and type(value) is str and OWN_SKILL.match(value)
    return None if is_own_skill else kind


def _check_case(levels: list[tuple[_Step, _Parts]], step: _Step) -> None:
    """Refuse `File_Id`: a reader without case would take it for `file_id`."""
    if type(step) is str and step not in KIND_BY_NAME and step.casefold() in KIND_BY_NAME:
        path = _path(levels, step)
        message = f"The name should be in lower case: '{step.casefold()}'"
        raise invalid_value(path, f"Invalid '{path}': {message}.")


def _id(value: Any) -> str:
    return value if type(value) is str else json.dumps(value)


def _path(levels: list[tuple[_Step, _Parts]], step: _Step) -> str:
    """Return the path like `input[0].file_id`; each part may be a long key of the caller's."""
    steps = [*(level_step for level_step, _ in levels), step]
    parts = (
        f".{each[:MAX_PATH_CHARS]}" if isinstance(each, str) else f"[{each}]" for each in steps
    )
    return "".join(parts).lstrip(".")[:MAX_PATH_CHARS]
