"""A rig for `antiphon local`: a plain HTTP client, gates, and a gateway in this process."""

import asyncio
import contextlib
import json
import os
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from infra.local.http.endpoint import (
    FUNCTION_URL,
    REST_API,
    Endpoint,
    listen,
    reserve_port,
)
from infra.local.processes import Processes
from infra.local.runtime_api.function import Function, function_environment
from infra.local.runtime_api.runtimes import RuntimePool

ROOT = Path(__file__).parents[2]
TASK = Path(__file__).parent / "task"
WRAPPER = ROOT / "functions" / "start-streaming"


class Call:
    """One request over one connection, its answer read chunk by chunk."""

    def __init__(self, reader, writer):
        self._reader = reader
        self._writer = writer
        self.status = 0
        self.headers = []

    @classmethod
    async def send(cls, port, line, body=b"", headers=()):
        call = cls(*await asyncio.open_connection("127.0.0.1", port))
        call.again(line, body, headers)
        return call

    def again(self, line, body=b"", headers=()):
        """Another request over the same connection."""
        sized = any(header.lower().startswith(b"content-length:") for header in headers)
        length = [] if sized else [b"Content-Length: %d" % len(body)]
        fields = b"\r\n".join([b"Host: here", *length, *headers])
        self._writer.write(line.encode() + b" HTTP/1.1\r\n" + fields + b"\r\n\r\n" + body)

    async def head(self):
        line, *fields = (await self._reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        self.status = int(line.split()[1])
        self.headers = [tuple(field.split(": ", 1)) for field in fields if field]
        return self.status

    def header(self, name):
        return [value for given, value in self.headers if given.lower() == name]

    async def chunk(self):
        """The next chunk, b"" after the last; IncompleteReadError where the body is incomplete."""
        size = int(await self._reader.readuntil(b"\r\n"), 16)
        return (await self._reader.readexactly(size + 2))[:-2]

    async def body(self):
        if length := self.header("content-length"):
            return await self._reader.readexactly(int(length[0]))
        chunks = []
        while chunk := await self.chunk():
            chunks.append(chunk)
        return b"".join(chunks)

    async def answer(self):
        await self.head()
        return await self.body()

    async def close(self):
        self._writer.close()
        with contextlib.suppress(ConnectionError):  # it was aborted
            await self._writer.wait_closed()


@dataclass
class WaitingFunction:
    """A function that waits at a gate."""

    name: str
    pid: int
    writer: asyncio.StreamWriter

    def release(self):
        self.writer.write(b".")
        self.writer.close()


class Gate:
    """Functions report here that they reached a step, and wait until they are released."""

    def __init__(self):
        self._arrivals = asyncio.Queue()

    async def arrival(self):
        return await self._arrivals.get()

    @asynccontextmanager
    async def open(self):
        server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        async with server:
            self.port = server.sockets[0].getsockname()[1]
            yield self

    async def _accept(self, reader, writer):
        name, pid = (await reader.readline()).split()
        await self._arrivals.put(WaitingFunction(name.decode(), int(pid), writer))


class Endpoints:
    """A gateway's two ports, and the calls to them."""

    def __init__(self, url, rest):
        self._ports = {"url": url.getsockname()[1], "rest": rest.getsockname()[1]}
        self._calls = []

    async def send(self, endpoint, line, body=b"", headers=()):
        call = await Call.send(self._ports[endpoint], line, body, headers)
        self._calls.append(call)
        return call

    async def steps(self, endpoint, *steps):
        return await self.send(endpoint, "POST /", json.dumps(steps).encode())

    async def close(self):
        while self._calls:
            await self._calls.pop().close()


@asynccontextmanager
async def gateway(
    count=1, seconds=60, env=os.environ, on_end=lambda _: None, provisioned=None, patience=0, **more
):
    """Run both endpoints in front of the function in `task`, without AWS.

    Without `provisioned` all of its processes start at once. `more` are variables of the function's
    environment; `on_end` gets the end of each reply.
    """
    lambdas = function_environment(TASK, "http://127.0.0.1:1", TASK / "config.json", env)
    variables = {**lambdas, **more}
    with reserve_port(0, FUNCTION_URL) as url, reserve_port(0, REST_API) as rest:
        async with Processes() as processes:
            function = Function(WRAPPER, TASK, variables, seconds)
            pool = RuntimePool(function, processes, count, patience=patience)
            await pool.start(count if provisioned is None else provisioned)
            async with (
                pool,
                listen(Endpoint(FUNCTION_URL, pool.invoke, on_end), url),
                listen(Endpoint(REST_API, pool.invoke, on_end), rest),
            ):
                endpoints = Endpoints(url, rest)
                try:
                    yield endpoints
                finally:
                    pool.stop()
                    await endpoints.close()
