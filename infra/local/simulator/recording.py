"""For tests: every request as it came, and raw answers queued for those to come."""

from base64 import b64decode, b64encode
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from infra.local.simulator.cuts import How
from infra.local.simulator.items import Json
from infra.local.simulator.sending import CloseDelimited, sever

MOST_REQUESTS = 2_000
OWN = "/_sim/"

type Next = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True)
class Script:
    """An answer of any bytes, for the next request to this method and path's end."""

    chunks: list[bytes]
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    cut: bool = False
    close: bool = False
    method: str = "POST"
    path: str = "/responses"

    @classmethod
    def parse(cls, told: Json) -> "Script":
        """Read what a test posts; `chunks_base64` holds the body, the other keys are the fields."""
        chunks = [b64decode(chunk) for chunk in told.pop("chunks_base64", [])]
        return cls(chunks, **told)

    def fits(self, request: web.Request) -> bool:
        return request.method == self.method and request.path.endswith(self.path)

    async def play(self, request: web.Request) -> web.StreamResponse:
        kind = CloseDelimited if self.close else web.StreamResponse
        response = kind(headers=self.headers)
        response.set_status(self.status)
        await response.prepare(request)
        for chunk in self.chunks:
            await response.write(chunk)
        if self.cut:
            await sever(request, How.RESET)
        return response


class Recorder:
    def __init__(self) -> None:
        self._requests: deque[Json] = deque(maxlen=MOST_REQUESTS)
        self._scripts: list[Script] = []

    def mount(self, app: web.Application) -> None:
        @web.middleware
        async def record(request: web.Request, handler: Next) -> web.StreamResponse:
            return await self._record(request, handler)

        app.middlewares.append(record)
        app.router.add_get(f"{OWN}requests", self._told)
        app.router.add_delete(f"{OWN}requests", self._clear)
        app.router.add_post(f"{OWN}script", self._script)

    async def _record(self, request: web.Request, answer: Next) -> web.StreamResponse:
        if request.path.startswith(OWN):
            return await answer(request)
        self._requests.append(await _recorded(request))
        script = next((script for script in self._scripts if script.fits(request)), None)
        if script is None:
            return await answer(request)
        self._scripts.remove(script)
        return await script.play(request)

    async def _told(self, _request: web.Request) -> web.StreamResponse:
        return web.json_response(list(self._requests))

    async def _clear(self, _request: web.Request) -> web.StreamResponse:
        """Forget the requests, and the answers that nobody came for."""
        self._requests.clear()
        self._scripts.clear()
        return web.Response(status=204)

    async def _script(self, request: web.Request) -> web.StreamResponse:
        try:
            self._scripts.append(Script.parse(await request.json()))
        except (TypeError, ValueError) as exc:
            raise web.HTTPBadRequest(text=f"No such script: {exc}") from exc
        return web.Response(status=204)


async def _recorded(request: web.Request) -> dict[str, Any]:
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
