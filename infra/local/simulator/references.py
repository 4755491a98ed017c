"""Checks that a project has the files, stores, containers and skills that a body names.

The paths are those of https://platform.openai.com/docs/api-reference/responses/create; items that
repeat earlier output, such as annotations, name objects too, but a provider only copies them.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from infra.local.simulator.errors import ApiError
from infra.local.simulator.items import Json
from infra.local.simulator.project import Project

SKILL_PREFIX = "skill_"  # an id without it is the name of a skill that all projects have


@dataclass(frozen=True)
class Reference:
    """The id of an object, and where the body has it."""

    kind: str
    id: Any
    param: str


def check_references(project: Project, body: Json) -> None:
    """Raises ApiError for the first reference to an object that is not in the project."""
    for reference in _body_references(body):
        _check_reference(project, reference)
    if "code_interpreter" in {tool.get("type") for tool in body.get("tools") or []}:
        _check_repeated_calls(project, _items(body.get("input")))


def check_item_references(project: Project, items: Iterable[Json]) -> None:
    """The same for items that are added to a conversation."""
    for reference in _item_references(items, "items"):
        _check_reference(project, reference)


def check_skill_references(project: Project, skills: Any) -> None:
    """The same for the skills of a new container."""
    for reference in _skill_references(skills, "skills"):
        _check_reference(project, reference)


def _check_reference(project: Project, reference: Reference) -> None:
    if reference.id is None:
        return
    if not isinstance(reference.id, str):
        message = f"Invalid type for '{reference.param}': expected a string."
        raise ApiError(400, message, "invalid_type", reference.param)
    _FINDERS[reference.kind](project, reference.id, reference.param)


def _find_active_container(project: Project, id: str, param: str) -> None:
    project.find_container(id, param).touch()


def _find_active_store(project: Project, id: str, param: str) -> None:
    project.find_vector_store(id, param).touch()


def _find_skill(project: Project, id: str, param: str) -> None:
    if id.startswith(SKILL_PREFIX):
        project.find_skill(id, param)


_FINDERS: Mapping[str, Callable[[Project, str, str], object]] = {
    "file": Project.find_file,
    "vector_store": _find_active_store,
    "container": _find_active_container,
    "skill": _find_skill,
}


def _check_repeated_calls(project: Project, items: Iterable[Json]) -> None:
    """A call that a client sends again must have a container that still runs."""
    for item in items:
        if item.get("type") == "code_interpreter_call":
            container = project.containers.get(str(item.get("container_id")))
            if container is None or container.is_expired:
                raise ApiError(400, f"Expected container_id: {item.get('container_id')}")


def _body_references(body: Json) -> Iterator[Reference]:
    yield from _tool_references(body.get("tools") or [], "tools")
    yield from _item_references(_items(body.get("input")), "input")
    variables = (body.get("prompt") or {}).get("variables") or {}
    for name, value in variables.items():
        yield from _file_references(value, f"prompt.variables.{name}")


def _items(input_items: Any) -> Sequence[Json]:
    return [] if isinstance(input_items, str) else input_items or []


def _tool_references(tools: Iterable[Json], path: str) -> Iterator[Reference]:
    for index, tool in enumerate(tools):
        param = f"{path}[{index}]"
        yield from _references(
            "vector_store", tool.get("vector_store_ids"), f"{param}.vector_store_ids"
        )
        yield from _container_references(tool.get("container"), f"{param}.container")
        if isinstance(tool.get("environment"), Mapping):  # of a computer it is a name: `linux`
            yield from _container_references(tool["environment"], f"{param}.environment")
        mask = tool.get("input_image_mask") or {}
        yield Reference("file", mask.get("file_id"), f"{param}.input_image_mask.file_id")


def _container_references(container: Any, param: str) -> Iterator[Reference]:
    """A container is an id, or an object with one, or the description of a new one."""
    if not isinstance(container, Mapping):
        yield Reference("container", container, param)
        return
    yield Reference("container", container.get("container_id"), f"{param}.container_id")
    yield from _references("file", container.get("file_ids"), f"{param}.file_ids")
    yield from _skill_references(container.get("skills"), f"{param}.skills")


def _skill_references(skills: Any, path: str) -> Iterator[Reference]:
    for index, skill in enumerate(skills or []):
        yield Reference("skill", skill.get("skill_id"), f"{path}[{index}].skill_id")


def _references(kind: str, ids: Any, param: str) -> Iterator[Reference]:
    for index, id in enumerate(ids or []):
        yield Reference(kind, id, f"{param}[{index}]")


def _item_references(items: Iterable[Json], path: str) -> Iterator[Reference]:
    for index, item in enumerate(items):
        param = f"{path}[{index}]"
        for key in ("content", "output"):
            yield from _file_references(item.get(key), f"{param}.{key}")
        yield from _tool_references(item.get("tools") or [], f"{param}.tools")


def _file_references(content: Any, path: str) -> Iterator[Reference]:
    """The content is a text, a part or a list of parts."""
    if isinstance(content, Mapping):
        yield Reference("file", content.get("file_id"), f"{path}.file_id")
    for index, part in enumerate(content if isinstance(content, list) else []):
        if isinstance(part, Mapping):
            yield Reference("file", part.get("file_id"), f"{path}[{index}].file_id")
