"""The endpoints of the files in a container.

https://platform.openai.com/docs/api-reference/container-files: each call marks the container as
active, and an expired one has no files any more.
"""

from typing import Any

from aiohttp import web

from infra.local.simulator.api_request import JSON_TYPE, ApiRequest, Route
from infra.local.simulator.container import Container, ContainerFile
from infra.local.simulator.containers import path_container
from infra.local.simulator.errors import missing_parameter
from infra.local.simulator.file import Content
from infra.local.simulator.pages import list_page
from infra.local.simulator.request_body import check_types
from infra.local.simulator.resource_delivery import Download, reply_created
from infra.local.simulator.resource_scenarios import find_resource_scenario


async def add_file(request: ApiRequest) -> web.StreamResponse:
    """Takes a form with the content, or JSON with the id of a file of the project."""
    container = _active_container(request)
    if request.http_request.content_type == JSON_TYPE:
        body = await request.read_json()
        check_types(body, {"file_id": (str, "a string")})
        return _copy_file(request, container, body.get("file_id"))
    form = await request.read_form()
    if "file_id" in form.fields:
        return _copy_file(request, container, form.fields["file_id"])
    sent = form.file("file")
    scenario = find_resource_scenario(sent.filename)
    content = Content.for_scenario(sent.content, scenario)
    file = ContainerFile(container.id, sent.filename, content, scenario)
    return await reply_created(
        request, scenario, lambda: request.account.add_container_file(file).describe()
    )


def _copy_file(request: ApiRequest, container: Container, id: Any) -> web.StreamResponse:
    if not id:
        raise missing_parameter("file_id")
    file = request.account.find_file(id, "file_id")
    return request.reply(request.account.copy_into(container, file).describe())


async def list_files(request: ApiRequest) -> web.StreamResponse:
    files = request.account.files_in(_active_container(request))
    return request.reply(list_page([file.describe() for file in files], request.query))


async def retrieve_file(request: ApiRequest) -> web.StreamResponse:
    return request.reply(_path_file(request).describe())


async def delete_file(request: ApiRequest) -> web.StreamResponse:
    file = _path_file(request)
    request.account.container_files.remove(file.id)
    return request.reply({"id": file.id, "object": "container.file.deleted", "deleted": True})


async def download_file(request: ApiRequest) -> web.StreamResponse:
    file = _path_file(request)
    return await Download(file.id, file.filename, file.content, file.scenario).send(request)


def _active_container(request: ApiRequest) -> Container:
    container = path_container(request)
    container.touch()
    return container


def _path_file(request: ApiRequest) -> ContainerFile:
    container = _active_container(request)
    return request.account.find_container_file(container, request.path_parameter("file"))


ROUTES: list[Route] = [
    ("POST", "/containers/{id}/files", add_file),
    ("GET", "/containers/{id}/files", list_files),
    ("GET", "/containers/{id}/files/{file}", retrieve_file),
    ("DELETE", "/containers/{id}/files/{file}", delete_file),
    ("GET", "/containers/{id}/files/{file}/content", download_file),
]
