"""POST /responses/input_tokens and POST /responses/compact."""

import time

from aiohttp import web

from infra.local.simulator import checks
from infra.local.simulator.ask import Ask
from infra.local.simulator.call import Call
from infra.local.simulator.items import Json, new_id
from infra.local.simulator.refusals import missing
from infra.local.simulator.routes.creating import understood
from infra.local.simulator.usage import asked, usage

COMPACTED = "gAAAAABsaW11bGF0ZWQtY29tcGFjdGlvbg"


async def input_tokens(call: Call) -> web.StreamResponse:
    body = await call.json_if_any()
    checks.types(body)
    ask = understood(call.account, body)
    with checks.shapes():
        return call.reply({"object": "response.input_tokens", "input_tokens": asked(ask)})


async def compact(call: Call) -> web.StreamResponse:
    body = await call.json()
    checks.types(body)
    if "model" not in body:
        raise missing("model")
    with checks.shapes():
        return call.reply(_compacted(understood(call.account, body)))


def _compacted(ask: Ask) -> Json:
    compaction = {"id": new_id("cmp"), "type": "compaction", "encrypted_content": COMPACTED}
    users = [item for item in ask.context if item.get("role") == "user"]
    return {
        "id": new_id("resp"),
        "object": "response.compaction",
        "created_at": int(time.time()),
        "output": [*users, compaction],
        "usage": usage(ask, [compaction]),
    }
