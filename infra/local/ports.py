"""The two ports: taken at once, so that a clash is known early; listened on when all is ready."""

import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web

from infra.local.front import Front

HEADER_BYTES = 64 * 1024
BACKLOG = 1024
SECONDS_FOR_ANSWERS_AT_THE_END = 0.1


class PortTaken(Exception):
    """A port cannot be listened on."""

    def __init__(self, port: int, cause: OSError) -> None:
        super().__init__(f"Cannot listen on 127.0.0.1:{port}: {cause.strerror}.")


def reserve(port: int) -> socket.socket:
    """Take a port of this machine's own address (0: any free one), without listening yet."""
    taken = socket.socket()
    try:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        taken.bind(("127.0.0.1", port))
    except OSError as exc:
        taken.close()
        raise PortTaken(port, exc) from exc
    return taken


def base(reserved: socket.socket) -> str:
    """The base URL that clients are given."""
    return f"http://127.0.0.1:{_number(reserved)}/v1"


@asynccontextmanager
async def listening(front: Front, reserved: socket.socket) -> AsyncIterator[None]:
    server = web.Server(
        front.answer,
        access_log=None,
        auto_decompress=False,  # the caller's bytes are the function's
        max_line_size=HEADER_BYTES,
        max_field_size=HEADER_BYTES,
    )
    runner = web.ServerRunner(server, shutdown_timeout=SECONDS_FOR_ANSWERS_AT_THE_END)
    await runner.setup()
    try:
        await web.SockSite(runner, reserved, backlog=BACKLOG).start()
        yield
    except OSError as exc:  # someone else was quicker to listen
        raise PortTaken(_number(reserved), exc) from exc
    finally:
        await runner.cleanup()


def _number(reserved: socket.socket) -> int:
    port: int = reserved.getsockname()[1]
    return port
