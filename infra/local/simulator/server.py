"""The application: which path, in which dialect, leads to which room."""

from collections.abc import Awaitable, Callable, Mapping

from aiohttp import web

from infra.local.simulator.call import Call, Handles
from infra.local.simulator.dialects import Azure, Dialect, OpenAI
from infra.local.simulator.recording import Recorder
from infra.local.simulator.refusals import Refusal
from infra.local.simulator.routes import conversations, counting, creating, models, stored
from infra.local.simulator.state import Account, Memory

LARGEST_BODY = 64 * 1024 * 1024

ROUTES: list[tuple[str, str, Handles]] = [
    ("POST", "/responses", creating.create),
    ("POST", "/responses/input_tokens", counting.input_tokens),
    ("POST", "/responses/compact", counting.compact),
    ("GET", "/responses/{id}", stored.retrieve),
    ("DELETE", "/responses/{id}", stored.delete),
    ("POST", "/responses/{id}/cancel", stored.cancel),
    ("GET", "/responses/{id}/input_items", stored.input_items),
    ("POST", "/conversations", conversations.create),
    ("GET", "/conversations/{id}", conversations.retrieve),
    ("POST", "/conversations/{id}", conversations.update),
    ("DELETE", "/conversations/{id}", conversations.delete),
    ("POST", "/conversations/{id}/items", conversations.add_items),
    ("GET", "/conversations/{id}/items", conversations.list_items),
    ("GET", "/conversations/{id}/items/{item}", conversations.item),
    ("DELETE", "/conversations/{id}/items/{item}", conversations.delete_item),
    ("GET", "/models", models.every),
    ("GET", "/models/{model}", models.one),
]

type Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def application(
    *, recording: bool = False, deployments: Mapping[str, str] | None = None
) -> web.Application:
    """A simulator that remembers nothing yet; `deployments` names the models of Azure's."""
    app = web.Application(client_max_size=LARGEST_BODY)
    if recording:
        Recorder().mount(app)
    memory, deployed = Memory(), deployments or {}
    dialects: dict[str, Dialect] = {
        "/v1": OpenAI(),
        "/openai/v1": Azure(deployed),
        "/openai": Azure(deployed, legacy=True),
    }
    for prefix, dialect in dialects.items():
        for method, path, handles in ROUTES:
            app.router.add_route(method, prefix + path, _handler(handles, dialect, memory))
        app.router.add_route("*", prefix + "/{rest:.*}", _handler(_nowhere, dialect, memory))
    return app


def _handler(handles: Handles, dialect: Dialect, memory: Memory) -> Handler:
    async def handler(request: web.Request) -> web.StreamResponse:
        try:
            account = memory.account(dialect.name, dialect.credential(request))
            return await handles(Call(request, dialect, account))
        except Refusal as refusal:
            return Call(request, dialect, Account()).refuse(refusal)
        except ConnectionError:  # the client has left; aiohttp finds out when it sends this
            return web.Response()

    return handler


async def _nowhere(call: Call) -> web.StreamResponse:
    request = call.request
    raise Refusal(404, f"Invalid URL ({request.method} {request.path})")
