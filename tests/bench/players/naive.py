"""`python -m tests.bench.players.naive PROVIDER`: the proxy that anybody writes first.

starlette and httpx on uvicorn, as they are installed: without uvloop and httptools.
"""

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from tests.bench.players.listening import announce, listener
from tests.bench.request import PATH

HOP_BY_HOP = {"host", "content-length", "connection", "transfer-encoding", "accept-encoding"}
# Kept while other contestants have their turns, as the gateway's are.
LIMITS = httpx.Limits(max_connections=None, keepalive_expiry=20)


async def responses(request: Request) -> Response:
    client: httpx.AsyncClient = request.app.state.client
    passed = {name: value for name, value in request.headers.items() if name not in HOP_BY_HOP}
    passed["authorization"] = "Bearer credential"
    outgoing = client.build_request("POST", PATH, content=await request.body(), headers=passed)
    answer = await client.send(outgoing, stream=True)
    headers = {name: value for name, value in answer.headers.items() if name not in HOP_BY_HOP}
    if "text/event-stream" not in headers["content-type"]:
        return Response(await answer.aread(), answer.status_code, headers)
    return StreamingResponse(_passed_on(answer), answer.status_code, headers)


async def _passed_on(answer: httpx.Response) -> AsyncIterator[bytes]:
    try:
        async for chunk in answer.aiter_raw():
            yield chunk
    finally:
        await answer.aclose()


def main() -> None:
    taken = listener()

    @asynccontextmanager
    async def client(app: Starlette) -> AsyncIterator[None]:
        transport = httpx.AsyncHTTPTransport(limits=LIMITS)
        async with httpx.AsyncClient(base_url=sys.argv[1], transport=transport) as made:
            app.state.client = made
            announce("naive", taken)
            yield

    app = Starlette(routes=[Route(PATH, responses, methods=["POST"])], lifespan=client)
    config = uvicorn.Config(app, log_level="warning", access_log=False, timeout_keep_alive=300)
    uvicorn.Server(config).run(sockets=[taken])


if __name__ == "__main__":
    main()
