"""A port on which `antiphon tail` and `antiphon top` read the log lines of a local gateway.

A client sends one line of JSON: `since` in epoch seconds, and `follow`. It gets the lines from then
on; with `follow` each further line as it comes, until either side closes the connection.
"""

import asyncio
import json
from asyncio import StreamReader, StreamWriter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from infra.local.request_log import RequestLog

HOST = "127.0.0.1"
MAX_BUFFERED_BYTES = 8 << 20  # a client that does not read loses its connection


@asynccontextmanager
async def serve_feed(log: RequestLog) -> AsyncIterator[int]:
    """Serve until the block ends; yield the port."""

    async def serve(reader: StreamReader, writer: StreamWriter) -> None:
        with suppress(ConnectionError, ValueError, TypeError, KeyError):  # the client's affair
            wanted = json.loads(await reader.readline())
            writer.write(b"".join(line + b"\n" for line in log.since(float(wanted["since"]))))
            await writer.drain()
            if wanted["follow"]:
                await _follow(log, reader, writer)
        writer.close()

    server = await asyncio.start_server(serve, HOST, 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        server.close_clients()


async def _follow(log: RequestLog, reader: StreamReader, writer: StreamWriter) -> None:
    def send(line: bytes) -> None:
        if writer.transport.get_write_buffer_size() > MAX_BUFFERED_BYTES:
            writer.transport.abort()
        else:
            writer.write(line + b"\n")

    with log.subscribe(send):
        await reader.read()  # until the client has gone
