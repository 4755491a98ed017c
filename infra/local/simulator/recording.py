"""For tests: records every request, and sends scripted answers to the next ones."""

from base64 import b64decode, b64encode
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from infra.local.simulator.delivery import CloseDelimitedResponse, close_connection
from infra.local.simulator.items import Json
from infra.local.simulator.stream import DisconnectKind

MAX_REQUESTS = 2_000
CONTROL_PREFIX = "/_sim/"

type Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True)
class Script:
    """Any HTTP response, for the next request with this method and a path with this end."""

    chunks: list[bytes]
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    cut: bool = False
    close: bool = False
    method: str = "POST"
    path: str = "/responses"

    @classmethod
    def parse(cls, fields: Json) -> "Script":
        """Parses what a test posts; `chunks_base64` is the body, the other keys are the fields."""
        chunks = [b64decode(chunk) for chunk in fields.pop("chunks_base64", [])]
        return cls(chunks, **fields)

    def matches(self, request: web.Request) -> bool:
        return request.method == self.method and request.path.endswith(self.path)

    async def send(self, request: web.Request) -> web.StreamResponse:
        response_type = CloseDelimitedResponse if self.close else web.StreamResponse
        http_response = response_type(headers=self.headers)
        http_response.set_status(self.status)
        await http_response.prepare(request)
        for chunk in self.chunks:
            await http_response.write(chunk)
        if self.cut:
            await close_connection(request, DisconnectKind.RESET)
        return http_response


class RequestRecorder:
    """Adds /_sim/requests and /_sim/script to an application, and records its requests."""

    def __init__(self) -> None:
        self._requests: deque[Json] = deque(maxlen=MAX_REQUESTS)
        self._scripts: list[Script] = []

    def mount(self, app: web.Application) -> None:
        @web.middleware
        async def record(request: web.Request, handler: Handler) -> web.StreamResponse:
            return await self._record(request, handler)

        app.middlewares.append(record)
        app.router.add_get(f"{CONTROL_PREFIX}requests", self._list_requests)
        app.router.add_delete(f"{CONTROL_PREFIX}requests", self._delete_requests)
        app.router.add_post(f"{CONTROL_PREFIX}script", self._add_script)

    async def _record(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.path.startswith(CONTROL_PREFIX):
            return await handler(request)
        self._requests.append(await _describe_request(request))
        script = next((script for script in self._scripts if script.matches(request)), None)
        if script is None:
            return await handler(request)
        self._scripts.remove(script)
        return await script.send(request)

    async def _list_requests(self, _request: web.Request) -> web.StreamResponse:
        return web.json_response(list(self._requests))

    async def _delete_requests(self, _request: web.Request) -> web.StreamResponse:
        """Deletes the recorded requests and the scripts that were not used."""
        self._requests.clear()
        self._scripts.clear()
        return web.Response(status=204)

    async def _add_script(self, request: web.Request) -> web.StreamResponse:
        try:
            self._scripts.append(Script.parse(await request.json()))
        except (TypeError, ValueError) as exc:
            raise web.HTTPBadRequest(text=f"No such script: {exc}") from exc
        return web.Response(status=204)


async def _describe_request(request: web.Request) -> dict[str, Any]:
    path, _, query = request.raw_path.partition("?")
    return {
        "method": request.method,
        "path": path,
        "query": query,
        "headers": [
            [name.decode("latin-1"), value.decode("latin-1")] for name, value in request.raw_headers
        ],
        "body_base64": b64encode(await request.read()).decode(),
    }
