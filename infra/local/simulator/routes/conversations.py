"""/conversations and what lies below it."""

import time

from aiohttp import web

from infra.local.simulator import checks
from infra.local.simulator.call import Call
from infra.local.simulator.items import Json, new_id, taken
from infra.local.simulator.listing import listed, page
from infra.local.simulator.refusals import missing, not_found
from infra.local.simulator.state import Conversation

MOST_ITEMS = 20  # in one request


async def create(call: Call) -> web.StreamResponse:
    body = await call.json_if_any()
    checks.conversation(body)
    told: Json = {
        "id": new_id("conv"),
        "object": "conversation",
        "created_at": int(time.time()),
        "metadata": body.get("metadata") or {},
    }
    conversation = Conversation(told)
    _add(call, conversation, body)
    call.account.conversations.put(told["id"], conversation)
    return call.reply(told)


async def retrieve(call: Call) -> web.StreamResponse:
    return call.reply(_named(call).told)


async def update(call: Call) -> web.StreamResponse:
    conversation, body = _named(call), await call.json()
    if "metadata" not in body:
        raise missing("metadata")
    checks.conversation(body)
    conversation.told = {**conversation.told, "metadata": body["metadata"] or {}}
    return call.reply(conversation.told)


async def delete(call: Call) -> web.StreamResponse:
    id = call.named("id")
    if call.account.conversations.take(id) is None:
        raise not_found("Conversation", id)
    return call.reply({"id": id, "object": "conversation.deleted", "deleted": True})


async def add_items(call: Call) -> web.StreamResponse:
    conversation, body = _named(call), await call.json()
    checks.conversation(body)
    if "items" not in body:
        raise missing("items")
    return call.reply(listed(_add(call, conversation, body)))


async def list_items(call: Call) -> web.StreamResponse:
    return call.reply(page(_named(call).items, call.query))


async def item(call: Call) -> web.StreamResponse:
    return call.reply(_named(call).item(call.named("item")))


async def delete_item(call: Call) -> web.StreamResponse:
    conversation = _named(call)
    conversation.items.remove(conversation.item(call.named("item")))
    return call.reply(conversation.told)


def _named(call: Call) -> Conversation:
    return call.account.conversation(call.named("id"))


def _add(call: Call, conversation: Conversation, body: Json) -> list[Json]:
    given = body.get("items") or []
    checks.at_most("items", given, MOST_ITEMS)
    with checks.shapes():
        items = taken(call.account.resolved(given))
    conversation.add(items)
    call.account.know(items, call.request.content_length or 0)
    return items
