"""The endpoints of containers: https://platform.openai.com/docs/api-reference/containers."""

from aiohttp import web

from infra.local.simulator.api_request import ApiRequest, Route
from infra.local.simulator.container import (
    DEFAULT_MEMORY,
    DEFAULT_MINUTES,
    Container,
)
from infra.local.simulator.errors import invalid_parameter, missing_parameter
from infra.local.simulator.items import Json
from infra.local.simulator.pages import list_page
from infra.local.simulator.references import check_skill_references
from infra.local.simulator.request_body import (
    ExpectedType,
    check_range,
    check_types,
    reject_invalid_shapes,
)
from infra.local.simulator.resource_delivery import reply_created
from infra.local.simulator.resource_scenarios import find_resource_scenario

TYPES: dict[str, ExpectedType] = {
    "name": (str, "a string"),
    "file_ids": (list, "an array of strings"),
    "skills": (list, "an array of objects"),
    "memory_limit": (str, "a string"),
    "expires_after": (dict, "an object"),
    "network_policy": (dict, "an object"),
}
MEMORY_LIMITS = ("1g", "4g", "16g", "64g")
MINUTES = ("integer", 1, 60)


async def create_container(request: ApiRequest) -> web.StreamResponse:
    body = await request.read_json()
    check_types(body, TYPES)
    if not body.get("name"):
        raise missing_parameter("name")
    container = _build_container(body)
    with reject_invalid_shapes():
        check_skill_references(request.account, body.get("skills"))

    def create() -> Json:
        file_ids = body.get("file_ids") or []
        return request.account.add_container(container, file_ids, "file_ids").describe()

    return await reply_created(request, container.scenario, create)


def _build_container(body: Json) -> Container:
    memory = body.get("memory_limit") or DEFAULT_MEMORY
    if memory not in MEMORY_LIMITS:
        raise invalid_parameter("memory_limit", f"'{memory}' is no limit.", "invalid_value")
    expires_after = body.get("expires_after") or {}
    check_types(expires_after, {"minutes": (int, "an integer")})
    minutes = expires_after.get("minutes") or DEFAULT_MINUTES
    check_range("expires_after.minutes", minutes, MINUTES)
    scenario = find_resource_scenario(body["name"])
    return Container(body["name"], scenario, minutes, memory, body.get("network_policy"))


async def list_containers(request: ApiRequest) -> web.StreamResponse:
    name = request.query.get("name")
    containers = request.account.containers.values()
    found = [each.describe() for each in containers if name in {None, each.name}]
    return request.reply(list_page(found, request.query))


async def retrieve_container(request: ApiRequest) -> web.StreamResponse:
    """Even this marks it as active, but not one that has expired."""
    container = path_container(request)
    if not container.is_expired:
        container.touch()
    return request.reply(container.describe())


async def delete_container(request: ApiRequest) -> web.StreamResponse:
    container = path_container(request)
    request.account.delete_container(container)
    return request.reply({"id": container.id, "object": "container.deleted", "deleted": True})


def path_container(request: ApiRequest) -> Container:
    """Returns the container that the path names."""
    return request.account.find_container(request.path_parameter("id"))


ROUTES: list[Route] = [
    ("POST", "/containers", create_container),
    ("GET", "/containers", list_containers),
    ("GET", "/containers/{id}", retrieve_container),
    ("DELETE", "/containers/{id}", delete_container),
]
