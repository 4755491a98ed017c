"""POST /responses. /responses/{id} and what lies below it. POST /responses/input_tokens and POST /responses/compact. /conversations and what lies below it. /models and /models/{model}: the usual names, and the scenarios."""

import re
import time
from collections.abc import Sequence

from aiohttp import web

from infra.local.simulator.api_request import ApiRequest
from infra.local.simulator.delivery import Delivery
from infra.local.simulator.errors import ApiError, missing_parameter, resource_not_found
from infra.local.simulator.items import Json, new_id, normalize_input
from infra.local.simulator.request_body import (
    CreateRequest,
    check_conversation,
    check_create,
    check_length,
    check_types,
    reject_invalid_shapes,
)
from infra.local.simulator.responses import build_response, count_input_tokens, count_usage
from infra.local.simulator.scenarios import SCENARIOS, find_scenario
from infra.local.simulator.state import MAX_ITEMS, Account, Conversation, build_list, list_page

RESPONSE_ID = re.compile(r"[A-Za-z0-9_-]+")
CONVERSATION_LOCKED_MESSAGE = (
    "Another process is currently operating on this conversation. Please retry in a few seconds."
)


async def create_response(call: ApiRequest) -> web.StreamResponse:
    body = await call.json()
    check_create(body)
    ask = build_create_request(call.account, body)
    chosen = find_scenario(ask.model)
    if chosen.instead:
        return call.give(chosen.instead)
    with reject_invalid_shapes():
        answer = build_response(ask, chosen, _provider_fields(call, ask))
    call.account.keep(answer, len(await call.request.read()))
    conversation = _find_conversation(call.account, body)
    if conversation and not chosen.ending.error:
        conversation.extend(answer)
    return await Delivery(call, answer).create()


def build_create_request(account: Account, body: Json) -> CreateRequest:
    """The ask, with the history of what it continues."""
    conversation = _find_conversation(account, body)
    if conversation and conversation.latest and not conversation.latest.finished:
        raise ApiError(400, CONVERSATION_LOCKED_MESSAGE, "conversation_locked", "conversation")
    history = conversation.items if conversation else _previous_items(account, body)
    with reject_invalid_shapes():
        given = normalize_input(account.resolved(body.get("input") or []))
    return CreateRequest(body, given, list(history)[-MAX_ITEMS:])


def _find_conversation(account: Account, body: Json) -> Conversation | None:
    named = body.get("conversation")
    id = named.get("id") if isinstance(named, dict) else named
    return account.conversation(str(id)) if id else None


def _previous_items(account: Account, body: Json) -> Sequence[Json]:
    """All that was said up to the previous response."""
    id = body.get("previous_response_id")
    if not id:
        return []
    if not RESPONSE_ID.fullmatch(id):
        message = (
            f"Invalid 'previous_response_id': '{id}'. Expected an ID that contains letters,"
            " numbers, underscores, or dashes, but this value contained additional characters."
        )
        raise ApiError(400, message, "invalid_value", "previous_response_id")
    previous = account.answers.get(id)
    if previous is None:
        message = f"Previous response with id '{id}' not found."
        raise ApiError(400, message, "previous_response_not_found", "previous_response_id")
    return [*previous.ask.context, *previous.final["output"]]


def _provider_fields(call: ApiRequest, ask: CreateRequest) -> Json:
    return {"model": call.dialect.model(ask.model), **call.dialect.extras}


async def retrieve_response(call: ApiRequest) -> web.StreamResponse:
    answer = call.account.answer(call.named("id"))
    if call.query.get("stream") != "true":
        return call.reply(answer.now())
    if not (answer.ask.streams or answer.ask.background):
        raise ApiError(
            400, "This response was not created with `stream` set to true.", None, "stream"
        )
    obfuscate = call.query.get("include_obfuscation") != "false"
    return await Delivery(call, answer).resume(_parse_starting_after(call), obfuscate=obfuscate)


async def delete_response(call: ApiRequest) -> web.StreamResponse:
    id = call.named("id")
    if call.account.answers.take(id) is None:
        raise resource_not_found("Response", id)
    return call.reply({"id": id, "object": "response", "deleted": True})


async def cancel_response(call: ApiRequest) -> web.StreamResponse:
    answer = call.account.answer(call.named("id"))
    if not answer.ask.background:
        raise ApiError(400, "Cannot cancel a synchronous response.")
    if not answer.finished:
        answer.stopped.set()
    return call.reply(answer.now())


async def list_input_items(call: ApiRequest) -> web.StreamResponse:
    answer = call.account.answer(call.named("id"))
    return call.reply(list_page(answer.ask.context, call.query))


def _parse_starting_after(call: ApiRequest) -> int:
    told = call.query.get("starting_after", "-1")
    if told != "-1" and not told.isdecimal():
        message = (
            "Invalid type for 'starting_after': expected an integer, but got a string instead."
        )
        raise ApiError(400, message, "invalid_type", "starting_after")
    return int(told)


COMPACTED_CONTENT = "gAAAAABsaW11bGF0ZWQtY29tcGFjdGlvbg"


async def count_response_tokens(call: ApiRequest) -> web.StreamResponse:
    body = await call.json_if_any()
    check_types(body)
    ask = build_create_request(call.account, body)
    with reject_invalid_shapes():
        return call.reply(
            {"object": "response.input_tokens", "input_tokens": count_input_tokens(ask)}
        )


async def compact_input(call: ApiRequest) -> web.StreamResponse:
    body = await call.json()
    check_types(body)
    if "model" not in body:
        raise missing_parameter("model")
    with reject_invalid_shapes():
        return call.reply(_build_compaction(build_create_request(call.account, body)))


def _build_compaction(ask: CreateRequest) -> Json:
    compaction = {"id": new_id("cmp"), "type": "compaction", "encrypted_content": COMPACTED_CONTENT}
    users = [item for item in ask.context if item.get("role") == "user"]
    return {
        "id": new_id("resp"),
        "object": "response.compaction",
        "created_at": int(time.time()),
        "output": [*users, compaction],
        "usage": count_usage(ask, [compaction]),
    }


MAX_ITEMS_PER_REQUEST = 20  # in one request


async def create_conversation(call: ApiRequest) -> web.StreamResponse:
    body = await call.json_if_any()
    check_conversation(body)
    told: Json = {
        "id": new_id("conv"),
        "object": "conversation",
        "created_at": int(time.time()),
        "metadata": body.get("metadata") or {},
    }
    conversation = Conversation(told)
    _add_items(call, conversation, body)
    call.account.conversations.put(told["id"], conversation)
    return call.reply(told)


async def retrieve_conversation(call: ApiRequest) -> web.StreamResponse:
    return call.reply(_path_conversation(call).told)


async def update_conversation(call: ApiRequest) -> web.StreamResponse:
    conversation, body = _path_conversation(call), await call.json()
    if "metadata" not in body:
        raise missing_parameter("metadata")
    check_conversation(body)
    conversation.told = {**conversation.told, "metadata": body["metadata"] or {}}
    return call.reply(conversation.told)


async def delete_conversation(call: ApiRequest) -> web.StreamResponse:
    id = call.named("id")
    if call.account.conversations.take(id) is None:
        raise resource_not_found("Conversation", id)
    return call.reply({"id": id, "object": "conversation.deleted", "deleted": True})


async def add_items(call: ApiRequest) -> web.StreamResponse:
    conversation, body = _path_conversation(call), await call.json()
    check_conversation(body)
    if "items" not in body:
        raise missing_parameter("items")
    return call.reply(build_list(_add_items(call, conversation, body)))


async def list_items(call: ApiRequest) -> web.StreamResponse:
    return call.reply(list_page(_path_conversation(call).items, call.query))


async def retrieve_item(call: ApiRequest) -> web.StreamResponse:
    return call.reply(_path_conversation(call).item(call.named("item")))


async def delete_item(call: ApiRequest) -> web.StreamResponse:
    conversation = _path_conversation(call)
    conversation.items.remove(conversation.item(call.named("item")))
    return call.reply(conversation.told)


def _path_conversation(call: ApiRequest) -> Conversation:
    return call.account.conversation(call.named("id"))


def _add_items(call: ApiRequest, conversation: Conversation, body: Json) -> list[Json]:
    given = body.get("items") or []
    check_length("items", given, MAX_ITEMS_PER_REQUEST)
    with reject_invalid_shapes():
        items = normalize_input(call.account.resolved(given))
    conversation.add(items)
    call.account.know(items, call.request.content_length or 0)
    return items


MODEL_NAMES = (
    "gpt-5",
    "gpt-5-mini",
    "gpt-5-nano",
    "gpt-4.1",
    "gpt-4.1-mini",
    "gpt-4o",
    "o4-mini",
    "o3",
)
MODEL_CREATED = 1_754_438_400


async def list_models(call: ApiRequest) -> web.StreamResponse:
    return call.reply(
        {"object": "list", "data": [_describe_model(name) for name in (*MODEL_NAMES, *SCENARIOS)]}
    )


async def retrieve_model(call: ApiRequest) -> web.StreamResponse:
    name = call.named("model")
    find_scenario(name)
    return call.reply(_describe_model(name))


def _describe_model(name: str) -> Json:
    return {"id": name, "object": "model", "created": MODEL_CREATED, "owned_by": "simulator"}
