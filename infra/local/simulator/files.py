"""The endpoints of files.

https://platform.openai.com/docs/api-reference/files: a file is created from a form, and its content
can be downloaded unless its purpose forbids it.
"""

from collections.abc import Mapping

from aiohttp import web

from infra.local.simulator.api_request import ApiRequest, Route
from infra.local.simulator.errors import ApiError, invalid_parameter, missing_parameter
from infra.local.simulator.file import Content, File
from infra.local.simulator.pages import LimitRange, list_page
from infra.local.simulator.request_body import check_range
from infra.local.simulator.resource_delivery import Download, reply_created
from infra.local.simulator.resource_scenarios import find_resource_scenario

PURPOSES = ("fine-tune", "assistants", "batch", "user_data", "vision", "evals")
DOWNLOADABLE = {"vision", "batch", "batch_output"}
LIFETIMES = ("integer", 3_600, 2_592_000)  # in seconds
BATCH_LIFETIME = 2_592_000
AZURE_BATCH_LIFETIMES = ("integer", 1_209_600, 2_592_000)
LIMITS = LimitRange(10_000, 10_000)


async def create_file(request: ApiRequest) -> web.StreamResponse:
    form = await request.read_form()
    uploaded, purpose = form.file("file"), form.fields.get("purpose", "")
    lifetime = read_lifetime(request, purpose, form.named("expires_after"))
    file = build_file(request, uploaded.filename, purpose, lifetime, uploaded.content)
    return await reply_created(request, file.scenario, lambda: request.account.add_file(file))


def build_file(
    request: ApiRequest, filename: str, purpose: str, lifetime: int | None, content: bytes
) -> File:
    """Builds a file that the customer sends. Raises ApiError for an invalid purpose."""
    if not purpose:
        raise missing_parameter("purpose")
    if purpose not in PURPOSES:
        message = f"'{purpose}' is not one of {list(PURPOSES)} - 'purpose'"
        raise ApiError(400, message, param="purpose")
    if purpose == "batch" and not filename.endswith(".jsonl"):
        raise ApiError(400, "Invalid file format for Batch API. Must be .jsonl")
    scenario = find_resource_scenario(filename)
    id = request.provider.file_id(purpose)
    return File(id, filename, purpose, Content.for_scenario(content, scenario), scenario, lifetime)


def read_lifetime(
    request: ApiRequest, purpose: str, expires_after: Mapping[str, object]
) -> int | None:
    """Reads `expires_after`; files of batches expire in any case."""
    if not expires_after:
        return BATCH_LIFETIME if purpose == "batch" else None
    if expires_after.get("anchor") != "created_at":
        fault = "expected 'created_at'."
        raise invalid_parameter("expires_after.anchor", fault, "invalid_value")
    seconds = str(expires_after.get("seconds", ""))
    if not seconds.isdecimal():
        raise invalid_parameter("expires_after.seconds", "expected an integer.", "invalid_type")
    is_azure_batch = request.provider.name == "azure" and purpose == "batch"
    bounds = AZURE_BATCH_LIFETIMES if is_azure_batch else LIFETIMES
    check_range("expires_after.seconds", int(seconds), bounds)
    return int(seconds)


async def list_files(request: ApiRequest) -> web.StreamResponse:
    purpose = request.query.get("purpose")
    files = [file for file in request.account.files.values() if not file.is_expired]
    found = [file.describe() for file in files if purpose in {None, file.purpose}]
    return request.reply(list_page(found, request.query, LIMITS))


async def retrieve_file(request: ApiRequest) -> web.StreamResponse:
    return request.reply(_path_file(request).describe())


async def delete_file(request: ApiRequest) -> web.StreamResponse:
    file = _path_file(request)
    request.account.delete_file(file.id)
    return request.reply({"id": file.id, "object": "file", "deleted": True})


async def download_file(request: ApiRequest) -> web.StreamResponse:
    file = _path_file(request)
    if file.purpose not in DOWNLOADABLE:
        raise ApiError(400, f"Not allowed to download files of purpose: {file.purpose}")
    return await Download(file.id, file.filename, file.content, file.scenario).send(request)


def _path_file(request: ApiRequest) -> File:
    return request.account.find_file(request.path_parameter("id"))


ROUTES: list[Route] = [
    ("POST", "/files", create_file),
    ("GET", "/files", list_files),
    ("GET", "/files/{id}", retrieve_file),
    ("DELETE", "/files/{id}", delete_file),
    ("GET", "/files/{id}/content", download_file),
]
