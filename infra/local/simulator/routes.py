"""The handlers of all endpoints: responses, token counts, conversations and models."""

import time

from aiohttp import web

from infra.example_models import SIMULATED_MODELS
from infra.local.simulator.api_request import ApiRequest, Route
from infra.local.simulator.creation import build_create_request, start_response
from infra.local.simulator.delivery import Delivery
from infra.local.simulator.errors import (
    ApiError,
    missing_parameter,
    resource_not_found,
)
from infra.local.simulator.items import Json, new_id, normalize_input
from infra.local.simulator.pages import build_list, list_page
from infra.local.simulator.references import check_item_references
from infra.local.simulator.request_body import (
    CreateRequest,
    check_conversation,
    check_length,
    check_types,
    reject_invalid_shapes,
)
from infra.local.simulator.responses import SimulatedResponse, count_input_tokens, count_usage
from infra.local.simulator.scenarios import SCENARIOS, find_scenario
from infra.local.simulator.state import Conversation

COMPACTED_CONTENT = "gAAAAABsaW11bGF0ZWQtY29tcGFjdGlvbg"
MAX_ITEMS_PER_REQUEST = 20
MODEL_CREATED = 1_754_438_400


async def create_response(request: ApiRequest) -> web.StreamResponse:
    body, size = await request.read_json(), len(await request.http_request.read())
    response = start_response(request.provider, request.account, body, size)
    if isinstance(response, SimulatedResponse):
        return await Delivery(request, response).respond()
    return request.reply_with(response)


async def retrieve_response(request: ApiRequest) -> web.StreamResponse:
    response = request.account.find_response(request.path_parameter("id"))
    if request.query.get("stream") != "true":
        return request.reply(response.current_state())
    if not (response.request.is_stream or response.request.is_background):
        raise ApiError(
            400, "This response was not created with `stream` set to true.", None, "stream"
        )
    is_obfuscated = request.query.get("include_obfuscation") != "false"
    return await Delivery(request, response).resume(
        _parse_starting_after(request), is_obfuscated=is_obfuscated
    )


async def delete_response(request: ApiRequest) -> web.StreamResponse:
    id = request.path_parameter("id")
    if request.account.responses.remove(id) is None:
        raise resource_not_found("Response", id)
    return request.reply({"id": id, "object": "response", "deleted": True})


async def cancel_response(request: ApiRequest) -> web.StreamResponse:
    response = request.account.find_response(request.path_parameter("id"))
    if not response.request.is_background:
        raise ApiError(400, "Cannot cancel a synchronous response.")
    if not response.is_finished:
        response.cancelled.set()
    return request.reply(response.current_state())


async def list_input_items(request: ApiRequest) -> web.StreamResponse:
    response = request.account.find_response(request.path_parameter("id"))
    return request.reply(list_page(response.request.context, request.query))


def _parse_starting_after(request: ApiRequest) -> int:
    starting_after = request.query.get("starting_after", "-1")
    if starting_after != "-1" and not starting_after.isdecimal():
        message = (
            "Invalid type for 'starting_after': expected an integer, but got a string instead."
        )
        raise ApiError(400, message, "invalid_type", "starting_after")
    return int(starting_after)


async def count_response_tokens(request: ApiRequest) -> web.StreamResponse:
    body = await request.read_optional_json()
    check_types(body)
    create_request = build_create_request(request.account, body)
    with reject_invalid_shapes():
        return request.reply(
            {"object": "response.input_tokens", "input_tokens": count_input_tokens(create_request)}
        )


async def compact_input(request: ApiRequest) -> web.StreamResponse:
    body = await request.read_json()
    check_types(body)
    if "model" not in body:
        raise missing_parameter("model")
    with reject_invalid_shapes():
        return request.reply(_build_compaction(build_create_request(request.account, body)))


def _build_compaction(create_request: CreateRequest) -> Json:
    compaction = {"id": new_id("cmp"), "type": "compaction", "encrypted_content": COMPACTED_CONTENT}
    users = [item for item in create_request.context if item.get("role") == "user"]
    return {
        "id": new_id("resp"),
        "object": "response.compaction",
        "created_at": int(time.time()),
        "output": [*users, compaction],
        "usage": count_usage(create_request, [compaction]),
    }


async def create_conversation(request: ApiRequest) -> web.StreamResponse:
    body = await request.read_optional_json()
    check_conversation(body)
    resource: Json = {
        "id": new_id("conv"),
        "object": "conversation",
        "created_at": int(time.time()),
        "metadata": body.get("metadata") or {},
    }
    conversation = Conversation(resource)
    _add_items(request, conversation, body)
    request.account.conversations.put(resource["id"], conversation)
    return request.reply(resource)


async def retrieve_conversation(request: ApiRequest) -> web.StreamResponse:
    return request.reply(_path_conversation(request).resource)


async def update_conversation(request: ApiRequest) -> web.StreamResponse:
    conversation, body = _path_conversation(request), await request.read_json()
    if "metadata" not in body:
        raise missing_parameter("metadata")
    check_conversation(body)
    conversation.resource = {**conversation.resource, "metadata": body["metadata"] or {}}
    return request.reply(conversation.resource)


async def delete_conversation(request: ApiRequest) -> web.StreamResponse:
    id = request.path_parameter("id")
    if request.account.conversations.remove(id) is None:
        raise resource_not_found("Conversation", id)
    return request.reply({"id": id, "object": "conversation.deleted", "deleted": True})


async def add_items(request: ApiRequest) -> web.StreamResponse:
    conversation, body = _path_conversation(request), await request.read_json()
    check_conversation(body)
    if "items" not in body:
        raise missing_parameter("items")
    return request.reply(build_list(_add_items(request, conversation, body)))


async def list_items(request: ApiRequest) -> web.StreamResponse:
    return request.reply(list_page(_path_conversation(request).items, request.query))


async def retrieve_item(request: ApiRequest) -> web.StreamResponse:
    return request.reply(_path_conversation(request).find_item(request.path_parameter("item")))


async def delete_item(request: ApiRequest) -> web.StreamResponse:
    conversation = _path_conversation(request)
    conversation.items.remove(conversation.find_item(request.path_parameter("item")))
    return request.reply(conversation.resource)


def _path_conversation(request: ApiRequest) -> Conversation:
    return request.account.find_conversation(request.path_parameter("id"))


def _add_items(request: ApiRequest, conversation: Conversation, body: Json) -> list[Json]:
    input_items = body.get("items") or []
    check_length("items", input_items, MAX_ITEMS_PER_REQUEST)
    with reject_invalid_shapes():
        check_item_references(request.account, input_items)
        items = normalize_input(request.account.resolve_references(input_items))
    conversation.add(items)
    request.account.store_items(items, request.http_request.content_length or 0)
    return items


async def list_models(request: ApiRequest) -> web.StreamResponse:
    return request.reply(
        {
            "object": "list",
            "data": [_describe_model(name) for name in (*SIMULATED_MODELS, *SCENARIOS)],
        }
    )


async def retrieve_model(request: ApiRequest) -> web.StreamResponse:
    name = request.path_parameter("model")
    find_scenario(name)
    return request.reply(_describe_model(name))


def _describe_model(name: str) -> Json:
    return {"id": name, "object": "model", "created": MODEL_CREATED, "owned_by": "simulator"}


ROUTES: list[Route] = [
    ("POST", "/responses", create_response),
    ("POST", "/responses/input_tokens", count_response_tokens),
    ("POST", "/responses/compact", compact_input),
    ("GET", "/responses/{id}", retrieve_response),
    ("DELETE", "/responses/{id}", delete_response),
    ("POST", "/responses/{id}/cancel", cancel_response),
    ("GET", "/responses/{id}/input_items", list_input_items),
    ("POST", "/conversations", create_conversation),
    ("GET", "/conversations/{id}", retrieve_conversation),
    ("POST", "/conversations/{id}", update_conversation),
    ("DELETE", "/conversations/{id}", delete_conversation),
    ("POST", "/conversations/{id}/items", add_items),
    ("GET", "/conversations/{id}/items", list_items),
    ("GET", "/conversations/{id}/items/{item}", retrieve_item),
    ("DELETE", "/conversations/{id}/items/{item}", delete_item),
    ("GET", "/models", list_models),
    ("GET", "/models/{model}", retrieve_model),
]
