"""/responses/{id} and what lies below it."""

from aiohttp import web

from infra.local.simulator.call import Call
from infra.local.simulator.listing import page
from infra.local.simulator.refusals import Refusal, not_found
from infra.local.simulator.sending import Sending


async def retrieve(call: Call) -> web.StreamResponse:
    answer = call.account.answer(call.named("id"))
    if call.query.get("stream") != "true":
        return call.reply(answer.now())
    if not (answer.ask.streams or answer.ask.background):
        raise Refusal(
            400, "This response was not created with `stream` set to true.", None, "stream"
        )
    obfuscate = call.query.get("include_obfuscation") != "false"
    return await Sending(call, answer).resume(_after(call), obfuscate=obfuscate)


async def delete(call: Call) -> web.StreamResponse:
    id = call.named("id")
    if call.account.answers.take(id) is None:
        raise not_found("Response", id)
    return call.reply({"id": id, "object": "response", "deleted": True})


async def cancel(call: Call) -> web.StreamResponse:
    answer = call.account.answer(call.named("id"))
    if not answer.ask.background:
        raise Refusal(400, "Cannot cancel a synchronous response.")
    if not answer.finished:
        answer.stopped.set()
    return call.reply(answer.now())


async def input_items(call: Call) -> web.StreamResponse:
    answer = call.account.answer(call.named("id"))
    return call.reply(page(answer.ask.context, call.query))


def _after(call: Call) -> int:
    told = call.query.get("starting_after", "-1")
    if told != "-1" and not told.isdecimal():
        message = (
            "Invalid type for 'starting_after': expected an integer, but got a string instead."
        )
        raise Refusal(400, message, "invalid_type", "starting_after")
    return int(told)
