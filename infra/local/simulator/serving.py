"""The simulator at an address: in a running event loop, or beside a synchronous program."""

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager

from aiohttp import web

LOOPBACK = "127.0.0.1"
HEADER_BYTES = 64 * 1024
SECONDS_FOR_ANSWERS_AT_THE_END = 0.1


@asynccontextmanager
async def serving(app: web.Application, host: str, port: int) -> AsyncIterator[str]:
    runner = web.AppRunner(
        app,
        access_log=None,
        auto_decompress=False,  # what is recorded is what came
        max_line_size=HEADER_BYTES,
        max_field_size=HEADER_BYTES,
        shutdown_timeout=SECONDS_FOR_ANSWERS_AT_THE_END,
    )
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port).start()
        yield f"http://{host}:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


@contextmanager
def beside(app: web.Application) -> Iterator[str]:
    """Serve from a thread of its own, as tests that wait for answers need it."""
    loop, stack = asyncio.new_event_loop(), AsyncExitStack()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        entered = stack.enter_async_context(serving(app, LOOPBACK, 0))
        yield asyncio.run_coroutine_threadsafe(entered, loop).result()
    finally:
        asyncio.run_coroutine_threadsafe(stack.aclose(), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
