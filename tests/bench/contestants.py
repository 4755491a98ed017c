"""Who is measured: whatever takes a request over HTTP."""

import asyncio
from typing import Protocol
from urllib.parse import urlsplit

from tests.bench.answer import Answer
from tests.bench.caller import Connection
from tests.bench.request import Ask, Headers, http

PATIENCE_SECONDS = 60.0
OK = 200


class Broken(Exception):
    """A contestant did not answer as it should: there is nothing to measure."""


class Contestant(Protocol):
    @property
    def pid(self) -> int | None: ...
    async def ask(self, ask: Ask) -> Answer:
        """Return once the contestant has nothing more to do; raise Broken unless it is a 200."""
        ...


class Peer:
    """One connection to an HTTP server."""

    def __init__(self, address: str, pid: int | None = None, headers: Headers = ()) -> None:
        self.address, self.pid, self.headers = address, pid, headers
        self._place = urlsplit(address)
        self._connection: Connection | None = None

    async def ask(self, ask: Ask) -> Answer:
        connection = await self._connected()
        async with asyncio.timeout(PATIENCE_SECONDS):
            return good(await connection.ask(http(ask, self._place.netloc, self.headers)))

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()

    async def _connected(self) -> Connection:
        if self._connection is None or not self._connection.open:
            loop, place = asyncio.get_running_loop(), self._place
            _, self._connection = await loop.create_connection(
                Connection, place.hostname, place.port
            )
        return self._connection


def good(answer: Answer) -> Answer:
    if answer.status != OK:
        text = answer.body[:300].decode("utf-8", "replace")
        raise Broken(f"An answer with status {answer.status}: {text}")
    return answer
