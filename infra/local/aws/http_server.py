"""Serves moto over HTTP/1.1, with connections that stay open.

Why not by moto's own server: docs/decisions/0040-moto-behind-aiohttp.md.

The gateway's own calls are executed one after the other in the server's own thread, where none
waits for another's lock. One that waits for messages, and every other call, has its own thread.
"""

import asyncio
import base64
import json
import os
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future
from contextlib import contextmanager
from functools import cache
from typing import Any

from aiohttp import web
from moto.core.request import Request
from moto.moto_api import recorder

from infra.local.aws import direct_calls

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


def _record_directly(request: web.BaseRequest, body: bytes) -> None:
    """Write what moto writes, without its request, which takes most of the time."""
    entry = {
        "headers": dict(request.headers),
        "method": request.method,
        "url": str(request.url),
        "body": base64.b64encode(body).decode(),
        "body_encoded": True,
    }
    with _recording:
        os.write(_recording_file(recorder._location), f"{json.dumps(entry)}\n".encode())  # noqa: SLF001


@cache
def _recording_file(path: str) -> int:
    """Its descriptor: to open it for each request takes as long as a read of a row."""
    return os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)


# moto's own application records by this name, too.
recorder._record_request = _record  # type: ignore[method-assign]  # noqa: SLF001


async def answer(request: web.BaseRequest) -> web.Response:
    """Answer a request as moto's own server does."""
    body = await request.content.read()
    if not direct_calls.is_direct(request.headers, body):
        return await _run_in_thread(lambda: _run_application(request, body))
    if recorder._user_enabled:  # noqa: SLF001  moto has no public name for it
        _record_directly(request, body)
    target = request.headers["X-Amz-Target"]
    if target != direct_calls.RECEIVE:
        return _respond(*direct_calls.call(target, body))
    return _respond(*await _run_in_thread(lambda: direct_calls.call(target, body)))


def _respond(status: int, headers: Mapping[str, str], body: bytes) -> web.Response:
    return web.Response(status=status, headers=headers, body=body)


def _run_application(request: web.BaseRequest, body: bytes) -> web.Response:
    from werkzeug.wrappers import Response  # noqa: PLC0415  see _application

    made = Response.from_app(_application(), _convert(request, body).environ)
    headers = [pair for pair in made.headers if pair[0].lower() not in FRAMING]
    return web.Response(status=made.status_code, headers=headers, body=made.get_data())


@cache
def _application() -> Any:
    """Flask, which it imports, takes a tenth of the start, and the gateway does not need it."""
    from moto.moto_server import werkzeug_app  # noqa: PLC0415  see above

    return werkzeug_app.DomainDispatcherApplication(werkzeug_app.create_backend_app)


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
        answer,
        access_log=None,
        auto_decompress=False,  # moto does it
        keepalive_timeout=KEEP_ALIVE_SECONDS,
    )
    runner = web.ServerRunner(server, shutdown_timeout=SHUTDOWN_SECONDS)
    await runner.setup()
    await web.SockSite(runner, listening).start()
    return runner
