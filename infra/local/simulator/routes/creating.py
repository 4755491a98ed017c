"""POST /responses."""

import re
from collections.abc import Sequence

from aiohttp import web

from infra.local.simulator import checks
from infra.local.simulator.answers import compose
from infra.local.simulator.ask import Ask
from infra.local.simulator.call import Call
from infra.local.simulator.items import Json, taken
from infra.local.simulator.refusals import Refusal
from infra.local.simulator.scenarios import scenario
from infra.local.simulator.sending import Sending
from infra.local.simulator.state import TURNS, Account, Conversation

ID = re.compile(r"[A-Za-z0-9_-]+")
LOCKED = (
    "Another process is currently operating on this conversation. Please retry in a few seconds."
)


async def create(call: Call) -> web.StreamResponse:
    body = await call.json()
    checks.create(body)
    ask = understood(call.account, body)
    chosen = scenario(ask.model)
    if chosen.instead:
        return call.give(chosen.instead)
    with checks.shapes():
        answer = compose(ask, chosen, _told_by(call, ask))
    call.account.keep(answer, len(await call.request.read()))
    conversation = _conversation(call.account, body)
    if conversation and not chosen.ending.error:
        conversation.extend(answer)
    return await Sending(call, answer).create()


def understood(account: Account, body: Json) -> Ask:
    """The ask, with the history of what it continues."""
    conversation = _conversation(account, body)
    if conversation and conversation.latest and not conversation.latest.finished:
        raise Refusal(400, LOCKED, "conversation_locked", "conversation")
    history = conversation.items if conversation else _before(account, body)
    with checks.shapes():
        given = taken(account.resolved(body.get("input") or []))
    return Ask(body, given, list(history)[-TURNS:])


def _conversation(account: Account, body: Json) -> Conversation | None:
    named = body.get("conversation")
    id = named.get("id") if isinstance(named, dict) else named
    return account.conversation(str(id)) if id else None


def _before(account: Account, body: Json) -> Sequence[Json]:
    """All that was said up to the previous response."""
    id = body.get("previous_response_id")
    if not id:
        return []
    if not ID.fullmatch(id):
        message = (
            f"Invalid 'previous_response_id': '{id}'. Expected an ID that contains letters,"
            " numbers, underscores, or dashes, but this value contained additional characters."
        )
        raise Refusal(400, message, "invalid_value", "previous_response_id")
    previous = account.answers.get(id)
    if previous is None:
        message = f"Previous response with id '{id}' not found."
        raise Refusal(400, message, "previous_response_not_found", "previous_response_id")
    return [*previous.ask.context, *previous.final["output"]]


def _told_by(call: Call, ask: Ask) -> Json:
    return {"model": call.dialect.model(ask.model), **call.dialect.extras}
