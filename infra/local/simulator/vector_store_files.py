"""The endpoints of the files in a vector store, one by one and in batches.

https://platform.openai.com/docs/api-reference/vector-stores-files: a file in a store has the id of
the file; to delete it here only takes it out of the store.
"""

from collections.abc import Iterable
from typing import Any

from aiohttp import web

from infra.local.simulator.api_request import ApiRequest, Route
from infra.local.simulator.errors import invalid_parameter, missing_parameter
from infra.local.simulator.items import Json
from infra.local.simulator.pages import list_page
from infra.local.simulator.request_body import (
    ExpectedType,
    check_length,
    check_types,
    reject_invalid_shapes,
)
from infra.local.simulator.vector_store import STATUSES, FileBatch, VectorStore, VectorStoreFile
from infra.local.simulator.vector_stores import path_store

TYPES: dict[str, ExpectedType] = {
    "file_id": (str, "a string"),
    "file_ids": (list, "an array of strings"),
    "files": (list, "an array of objects"),
    "attributes": (dict, "an object"),
    "chunking_strategy": (dict, "an object"),
}
MAX_BATCH = 2_000
POLL_HEADERS = {"openai-poll-after-ms": "20"}  # the SDKs' default is a second


async def add_file(request: ApiRequest) -> web.StreamResponse:
    store, body = path_store(request), await _read_body(request)
    if not body.get("file_id"):
        raise missing_parameter("file_id")
    store.touch()
    return _reply(request, _add_file(request, store, body, "file_id"))


def _add_file(request: ApiRequest, store: VectorStore, fields: Json, param: str) -> VectorStoreFile:
    file = request.account.find_file(str(fields["file_id"]), param)
    attributes, chunks = fields.get("attributes"), fields.get("chunking_strategy")
    return store.add_file(VectorStoreFile(file, store.id, attributes, chunks))


async def list_files(request: ApiRequest) -> web.StreamResponse:
    return _reply_list(request, path_store(request).files.values())


async def retrieve_file(request: ApiRequest) -> web.StreamResponse:
    return _reply(request, _path_file(request))


async def update_file(request: ApiRequest) -> web.StreamResponse:
    file, body = _path_file(request), await _read_body(request)
    if "attributes" not in body:
        raise missing_parameter("attributes")
    file.attributes = body["attributes"]
    return request.reply(file.describe())


async def detach_file(request: ApiRequest) -> web.StreamResponse:
    id = _path_file(request).file.id
    path_store(request).files.pop(id)
    return request.reply({"id": id, "object": "vector_store.file.deleted", "deleted": True})


async def read_file(request: ApiRequest) -> web.StreamResponse:
    """Returns the text of a file, which needs no permission to download it."""
    text = {"type": "text", "text": _path_file(request).file.content.text}
    page = {"object": "vector_store.file_content.page", "data": [text]}
    return request.reply({**page, "has_more": False, "next_page": None})


async def create_batch(request: ApiRequest) -> web.StreamResponse:
    store, body = path_store(request), await _read_body(request)
    entries = body.get("files") or [{**body, "file_id": id} for id in body.get("file_ids") or []]
    if not entries:
        raise missing_parameter("file_ids")
    param = "files" if body.get("files") else "file_ids"
    check_length(param, entries, MAX_BATCH)
    store.touch()
    with reject_invalid_shapes():
        files = [_add_file(request, store, entry, param) for entry in entries]
    batch = FileBatch(store, [file.file.id for file in files])
    store.batches[batch.id] = batch
    return _reply(request, batch)


async def retrieve_batch(request: ApiRequest) -> web.StreamResponse:
    return _reply(request, _path_batch(request))


async def cancel_batch(request: ApiRequest) -> web.StreamResponse:
    batch = _path_batch(request)
    for file in batch.files:
        file.cancel()
    return _reply(request, batch)


async def list_batch_files(request: ApiRequest) -> web.StreamResponse:
    return _reply_list(request, _path_batch(request).files)


def _reply(request: ApiRequest, resource: VectorStoreFile | FileBatch) -> web.StreamResponse:
    """Says when to ask again, as long as there is something to wait for."""
    body = resource.describe()
    return request.reply(body, POLL_HEADERS if body["status"] == "in_progress" else None)


def _reply_list(request: ApiRequest, files: Iterable[VectorStoreFile]) -> web.StreamResponse:
    status: Any = request.query.get("filter")
    if status not in {None, *STATUSES}:
        raise invalid_parameter("filter", f"'{status}' is no status.", "invalid_value")
    found = [file.describe() for file in files if status in {None, file.status}]
    return request.reply(list_page(found, request.query))


async def _read_body(request: ApiRequest) -> Json:
    body = await request.read_json()
    check_types(body, TYPES)
    return body


def _path_file(request: ApiRequest) -> VectorStoreFile:
    return path_store(request).find_file(request.path_parameter("file"))


def _path_batch(request: ApiRequest) -> FileBatch:
    return path_store(request).find_batch(request.path_parameter("batch"))


ROUTES: list[Route] = [
    ("POST", "/vector_stores/{id}/files", add_file),
    ("GET", "/vector_stores/{id}/files", list_files),
    ("GET", "/vector_stores/{id}/files/{file}", retrieve_file),
    ("POST", "/vector_stores/{id}/files/{file}", update_file),
    ("DELETE", "/vector_stores/{id}/files/{file}", detach_file),
    ("GET", "/vector_stores/{id}/files/{file}/content", read_file),
    ("POST", "/vector_stores/{id}/file_batches", create_batch),
    ("GET", "/vector_stores/{id}/file_batches/{batch}", retrieve_batch),
    ("POST", "/vector_stores/{id}/file_batches/{batch}/cancel", cancel_batch),
    ("GET", "/vector_stores/{id}/file_batches/{batch}/files", list_batch_files),
]
