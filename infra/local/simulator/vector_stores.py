"""The endpoints of vector stores: https://platform.openai.com/docs/api-reference/vector-stores."""

from typing import Any

from aiohttp import web

from infra.local.simulator.api_request import ApiRequest, Route
from infra.local.simulator.errors import missing_parameter
from infra.local.simulator.file_search import describe_page, search_files
from infra.local.simulator.items import Json
from infra.local.simulator.pages import list_page
from infra.local.simulator.request_body import (
    ExpectedType,
    check_length,
    check_metadata,
    check_range,
    check_types,
    reject_invalid_shapes,
)
from infra.local.simulator.resource_delivery import reply_created
from infra.local.simulator.resource_scenarios import find_resource_scenario
from infra.local.simulator.vector_store import VectorStore, VectorStoreFile

TYPES: dict[str, ExpectedType] = {
    "name": (str, "a string"),
    "description": (str, "a string"),
    "file_ids": (list, "an array of strings"),
    "chunking_strategy": (dict, "an object"),
    "expires_after": (dict, "an object"),
    "metadata": (dict, "an object"),
    "query": ((str, list), "one of a string or array of strings"),
    "filters": (dict, "an object"),
    "max_num_results": (int, "an integer"),
}
SETTABLE = ("name", "description", "metadata", "expires_after")
MAX_FILES = 500  # in a request that creates a store
DAYS = ("integer", 1, 365)
DEFAULT_RESULTS = 10
RESULTS = ("integer", 1, 50)


async def create_vector_store(request: ApiRequest) -> web.StreamResponse:
    body = _check_body(await request.read_optional_json())
    file_ids = body.get("file_ids") or []
    check_length("file_ids", file_ids, MAX_FILES)
    scenario = find_resource_scenario(body.get("name") or "")
    store = VectorStore(scenario, {key: body[key] for key in SETTABLE if key in body})
    for id in file_ids:
        file = request.account.find_file(str(id), "file_ids")
        store.add_file(
            VectorStoreFile(file, store.id, chunking_strategy=body.get("chunking_strategy"))
        )

    def create() -> Json:
        request.account.vector_stores.put(store.id, store)
        return store.describe()

    return await reply_created(request, scenario, create)


def _check_body(body: Json) -> Json:
    check_types(body, TYPES)
    check_metadata(body)
    expires_after = body.get("expires_after")
    if expires_after:
        check_types(expires_after, {"days": (int, "an integer")})
        check_range("expires_after.days", expires_after.get("days") or 0, DAYS)
    return body


async def list_vector_stores(request: ApiRequest) -> web.StreamResponse:
    stores = [store.describe() for store in request.account.vector_stores.values()]
    return request.reply(list_page(stores, request.query))


async def retrieve_vector_store(request: ApiRequest) -> web.StreamResponse:
    return request.reply(path_store(request).describe())


async def update_vector_store(request: ApiRequest) -> web.StreamResponse:
    store, body = path_store(request), _check_body(await request.read_json())
    store.touch()
    store.fields |= {key: body[key] for key in SETTABLE if key in body}
    return request.reply(store.describe())


async def delete_vector_store(request: ApiRequest) -> web.StreamResponse:
    """The files in the store are not deleted."""
    store = path_store(request)
    request.account.vector_stores.remove(store.id)
    return request.reply({"id": store.id, "object": "vector_store.deleted", "deleted": True})


async def search_vector_store(request: ApiRequest) -> web.StreamResponse:
    store, body = path_store(request), _check_body(await request.read_json())
    store.touch()
    count = body.get("max_num_results") or DEFAULT_RESULTS
    check_range("max_num_results", count, RESULTS)
    queries = _read_queries(body.get("query"))
    with reject_invalid_shapes():
        results = search_files(store.files.values(), " ".join(queries), body.get("filters"))
    return request.reply(describe_page(results[:count], queries))


def _read_queries(query: Any) -> list[str]:
    if not query:
        raise missing_parameter("query")
    return [query] if isinstance(query, str) else [str(each) for each in query]


def path_store(request: ApiRequest) -> VectorStore:
    """Returns the store that the path names."""
    return request.account.find_vector_store(request.path_parameter("id"))


ROUTES: list[Route] = [
    ("POST", "/vector_stores", create_vector_store),
    ("GET", "/vector_stores", list_vector_stores),
    ("GET", "/vector_stores/{id}", retrieve_vector_store),
    ("POST", "/vector_stores/{id}", update_vector_store),
    ("DELETE", "/vector_stores/{id}", delete_vector_store),
    ("POST", "/vector_stores/{id}/search", search_vector_store),
]
