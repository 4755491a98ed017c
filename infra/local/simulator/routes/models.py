"""/models and /models/{model}: the usual names, and the scenarios."""

from aiohttp import web

from infra.local.simulator.call import Call
from infra.local.simulator.items import Json
from infra.local.simulator.scenarios import SCENARIOS, scenario

USUAL = ("gpt-5", "gpt-5-mini", "gpt-5-nano", "gpt-4.1", "gpt-4.1-mini", "gpt-4o", "o4-mini", "o3")
CREATED = 1_754_438_400


async def every(call: Call) -> web.StreamResponse:
    return call.reply({"object": "list", "data": [_model(name) for name in (*USUAL, *SCENARIOS)]})


async def one(call: Call) -> web.StreamResponse:
    name = call.named("model")
    scenario(name)
    return call.reply(_model(name))


def _model(name: str) -> Json:
    return {"id": name, "object": "model", "created": CREATED, "owned_by": "simulator"}
