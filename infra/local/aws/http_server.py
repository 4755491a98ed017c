"""Serves moto over HTTP/1.1, with connections that stay open.

Why not by moto's own server: docs/decisions/0040-moto-behind-aiohttp.md.

Calls for rows are executed one after the other in the server's own thread, where none waits for
another's lock. Every other call has a thread of its own: one that waits for messages takes 20 s.
"""

import asyncio
import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager

from aiohttp import web
from moto.core.request import Request
from moto.moto_api import recorder
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.wrappers import Response

from infra.local.aws import table_calls

BACKLOG = 1024
KEEP_ALIVE_SECONDS = 3600.0  # longer than any client keeps a connection that it does not use
SHUTDOWN_SECONDS = 1.0
FRAMING = {"content-length", "transfer-encoding", "connection"}  # aiohttp writes its own


_recording = threading.Lock()
_record_request = recorder._record_request  # noqa: SLF001  moto has no public name for it


def _record(request: Request, body: bytes | None = None) -> None:
    """Write one request to the file after the other: two threads would mix their lines."""
    with _recording:
        _record_request(request, body)


# moto's own application records by this name, too.
recorder._record_request = _record  # type: ignore[method-assign]  # noqa: SLF001


class MotoServer:
    """Answers requests as moto's own server does."""

    def __init__(self) -> None:
        self._application = DomainDispatcherApplication(create_backend_app)

    async def answer(self, request: web.BaseRequest) -> web.Response:
        body = await request.content.read()
        if not table_calls.is_direct(request.headers, body):
            return await _run_in_thread(lambda: self._run_application(request, body))
        if recorder._user_enabled:  # noqa: SLF001  moto has no public name for it
            _record(_convert(request, body))
        status, headers, answer = table_calls.call(request.headers["X-Amz-Target"], body)
        return web.Response(status=status, headers=headers, body=answer)

    def _run_application(self, request: web.BaseRequest, body: bytes) -> web.Response:
        made = Response.from_app(self._application, _convert(request, body).environ)
        headers = [pair for pair in made.headers if pair[0].lower() not in FRAMING]
        return web.Response(status=made.status_code, headers=headers, body=made.get_data())


def _convert(request: web.BaseRequest, body: bytes) -> Request:
    return Request.from_primitives(request.method, str(request.url), request.headers, body)


async def _run_in_thread[Answer](run: Callable[[], Answer]) -> Answer:
    """A thread of a pool would delay the end of the process until its call has ended."""
    future: Future[Answer] = Future()
    future.set_running_or_notify_cancel()

    def finish() -> None:
        try:
            future.set_result(run())
        except Exception as exc:  # noqa: BLE001  raised again where it is awaited
            future.set_exception(exc)

    threading.Thread(target=finish, daemon=True).start()
    return await asyncio.wrap_future(future)


@contextmanager
def serve_moto() -> Iterator[str]:
    """Serve on a free port of 127.0.0.1, in a thread, until the block ends; yields the URL."""
    listening = socket.create_server(("127.0.0.1", 0), backlog=BACKLOG)
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="moto", daemon=True)
    thread.start()
    runner = asyncio.run_coroutine_threadsafe(_start(listening), loop).result()
    try:
        yield "http://{}:{}".format(*listening.getsockname())
    finally:
        asyncio.run_coroutine_threadsafe(runner.cleanup(), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


async def _start(listening: socket.socket) -> web.ServerRunner:
    server = web.Server(
        MotoServer().answer,
        access_log=None,
        auto_decompress=False,  # moto does it
        keepalive_timeout=KEEP_ALIVE_SECONDS,
    )
    runner = web.ServerRunner(server, shutdown_timeout=SHUTDOWN_SECONDS)
    await runner.setup()
    await web.SockSite(runner, listening).start()
    return runner
