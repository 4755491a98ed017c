"""The endpoints of uploads: https://platform.openai.com/docs/api-reference/uploads."""

from dataclasses import replace

from aiohttp import web

from infra.local.simulator.api_request import ApiRequest, Route
from infra.local.simulator.errors import missing_parameter
from infra.local.simulator.file import Content
from infra.local.simulator.files import build_file, read_lifetime
from infra.local.simulator.items import Json
from infra.local.simulator.request_body import ExpectedType, check_types
from infra.local.simulator.resource_delivery import reply_created
from infra.local.simulator.upload import Upload

TYPES: dict[str, ExpectedType] = {
    "bytes": (int, "an integer"),
    "filename": (str, "a string"),
    "mime_type": (str, "a string"),
    "purpose": (str, "a string"),
    "expires_after": (dict, "an object"),
    "part_ids": (list, "an array of strings"),
    "md5": (str, "a string"),
}
REQUIRED = ("bytes", "filename", "mime_type", "purpose")


async def create_upload(request: ApiRequest) -> web.StreamResponse:
    body = await _read_body(request, REQUIRED)
    lifetime = read_lifetime(request, body["purpose"], body.get("expires_after") or {})
    file = build_file(request, body["filename"], body["purpose"], lifetime, b"")
    upload = Upload(body["bytes"], file)
    request.account.uploads.put(upload.id, upload)
    return request.reply(upload.describe())


async def add_part(request: ApiRequest) -> web.StreamResponse:
    upload, form = _path_upload(request), await request.read_form()
    part = upload.add_part(form.file("data").content)
    request.account.uploads.put(upload.id, upload, upload.weight)
    return request.reply(part)


async def complete_upload(request: ApiRequest) -> web.StreamResponse:
    """The scenario of the file name has its effect here, where the file is created."""
    upload, body = _path_upload(request), await _read_body(request, ("part_ids",))
    content = upload.join([str(id) for id in body["part_ids"]], body.get("md5"))
    scenario = upload.file.scenario
    file = replace(upload.file, content=Content.for_scenario(content, scenario))

    def create() -> Json:
        request.account.add_file(file)
        upload.complete(file)
        request.account.uploads.put(upload.id, upload)
        return upload.describe()

    return await reply_created(request, scenario, create)


async def cancel_upload(request: ApiRequest) -> web.StreamResponse:
    upload = _path_upload(request)
    upload.cancel()
    request.account.uploads.put(upload.id, upload)
    return request.reply(upload.describe())


async def _read_body(request: ApiRequest, required: tuple[str, ...]) -> Json:
    body = await request.read_json()
    check_types(body, TYPES)
    missing = next((param for param in required if body.get(param) is None), None)
    if missing:
        raise missing_parameter(missing)
    return body


def _path_upload(request: ApiRequest) -> Upload:
    return request.account.find_upload(request.path_parameter("id"))


ROUTES: list[Route] = [
    ("POST", "/uploads", create_upload),
    ("POST", "/uploads/{id}/parts", add_part),
    ("POST", "/uploads/{id}/complete", complete_upload),
    ("POST", "/uploads/{id}/cancel", cancel_upload),
]
