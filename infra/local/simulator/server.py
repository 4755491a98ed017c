"""Builds the simulator's application, and serves it in an event loop or in a thread."""

import asyncio
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager

from aiohttp import web

from infra.local.simulator import (
    batches,
    container_files,
    containers,
    files,
    routes,
    skills,
    uploads,
    vector_store_files,
    vector_stores,
)
from infra.local.simulator.api_request import (
    ApiRequest,
    Azure,
    OpenAI,
    Provider,
    Route,
    RouteHandler,
)
from infra.local.simulator.bedrock import Bedrock
from infra.local.simulator.errors import ApiError
from infra.local.simulator.recording import RequestRecorder
from infra.local.simulator.state import Account, State

MAX_BODY = 80 * 1024 * 1024  # a part of an upload has up to 64 MiB
ROUTES: list[Route] = [
    *routes.ROUTES,
    *files.ROUTES,
    *uploads.ROUTES,
    *vector_stores.ROUTES,
    *vector_store_files.ROUTES,
    *containers.ROUTES,
    *container_files.ROUTES,
    *batches.ROUTES,
]
OPENAI_ROUTES: list[Route] = [*ROUTES, *skills.ROUTES]

type Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
LOOPBACK = "127.0.0.1"
HEADER_BYTES = 64 * 1024
SHUTDOWN_SECONDS = 0.1


def build_application(
    *, is_recording: bool = False, deployments: Mapping[str, str] | None = None
) -> web.Application:
    """Builds a simulator without any state; `deployments` maps Azure deployments to models."""
    app = web.Application(client_max_size=MAX_BODY)
    app[batches.TASKS] = {}
    app.on_shutdown.append(batches.stop_batches)
    if is_recording:
        RequestRecorder().mount(app)
    state, deployments = State(), deployments or {}
    apis: dict[str, tuple[Provider, list[Route]]] = {
        "/v1": (OpenAI(), OPENAI_ROUTES),
        "/openai/v1": (Azure(deployments), ROUTES),
        "/openai": (Azure(deployments, legacy=True), ROUTES),
        "/bedrock": (Bedrock(), OPENAI_ROUTES),
    }
    for prefix, (provider, api_routes) in apis.items():
        for method, path, route_handler in api_routes:
            app.router.add_route(
                method, prefix + path, _build_handler(route_handler, provider, state)
            )
        app.router.add_route(
            "*", prefix + "/{rest:.*}", _build_handler(_unknown_path, provider, state)
        )
    return app


def _build_handler(route_handler: RouteHandler, provider: Provider, state: State) -> Handler:
    async def handler(request: web.Request) -> web.StreamResponse:
        try:
            credential = await provider.read_credential(request)
            account = state.find_account(provider.name, credential)
            return await route_handler(ApiRequest(request, provider, account))
        except ApiError as error:
            return ApiRequest(request, provider, Account()).reply_error(error)
        except ConnectionError:
            # The client has disconnected; aiohttp notices it when it sends this.
            return web.Response()

    return handler


async def _unknown_path(request: ApiRequest) -> web.StreamResponse:
    http_request = request.http_request
    raise ApiError(404, f"Invalid URL ({http_request.method} {http_request.path})")


@asynccontextmanager
async def serve(app: web.Application, host: str, port: int) -> AsyncIterator[str]:
    """Serves until the context ends; yields the base URL."""
    runner = web.AppRunner(
        app,
        access_log=None,
        auto_decompress=False,  # so that bodies are recorded as received
        max_line_size=HEADER_BYTES,
        max_field_size=HEADER_BYTES,
        shutdown_timeout=SHUTDOWN_SECONDS,
    )
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port).start()
        yield f"http://{host}:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


@contextmanager
def serve_in_thread(app: web.Application) -> Iterator[str]:
    """Serves in a new thread, for synchronous tests; yields the base URL."""
    loop, stack = asyncio.new_event_loop(), AsyncExitStack()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        entered = stack.enter_async_context(serve(app, LOOPBACK, 0))
        yield asyncio.run_coroutine_threadsafe(entered, loop).result()
    finally:
        asyncio.run_coroutine_threadsafe(stack.aclose(), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
