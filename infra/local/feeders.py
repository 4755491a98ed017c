"""The functions that no HTTP request calls, each fed from its source: the queue, or the stream."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping
from contextlib import asynccontextmanager
from typing import Any, Protocol

import aiohttp

from infra.local.aws_json import Aws, Refused
from infra.local.desk import InitFailed
from infra.local.invocation import Failed
from infra.local.pool import Pool
from infra.local.process import Processes
from infra.local.queue_event import Messages
from infra.local.runtime import Function
from infra.local.stream_event import Changes

SECONDS_AFTER_TROUBLE = 1.0

type Record = dict[str, Any]
type Work = Callable[[Mapping[str, Any]], Awaitable[Any]]  # event to result

log = logging.getLogger(__name__)


class Source(Protocol):
    """Where records come from, and what becomes of those that failed."""

    async def take(self) -> list[Record]: ...

    def id(self, record: Record) -> str: ...

    async def done(self, records: list[Record], failed: Collection[str]) -> None: ...


SOURCES: Mapping[str, Callable[[Aws], Source]] = {"settle": Messages, "rollup": Changes}


class Worker:
    """A function's one environment; it is started for the first event, so as not to cost time."""

    def __init__(self, function: Function, processes: Processes) -> None:
        self._pool = Pool(function, processes)
        self._started = False

    async def __call__(self, event: Mapping[str, Any]) -> Any:
        """What the function returns; raise Failed or InitFailed where it does not."""
        if not self._started:
            await self._pool.start(1)
            self._started = True
        invocation = await self._pool.invoke(json.dumps(event).encode())
        return json.loads(b"".join([piece async for piece in invocation.pieces]) or b"null")


async def feed(name: str, source: Source, work: Work) -> None:
    """Hand records over for as long as the gateway runs, batch after batch."""
    while True:
        try:
            records = await source.take()
            if records:
                await source.done(records, await _failures(name, source, records, work))
        except (aiohttp.ClientError, TimeoutError, Refused, LookupError) as exc:
            log.warning("antiphon local: %s: %r", name, exc)
            await asyncio.sleep(SECONDS_AFTER_TROUBLE)


async def _failures(name: str, source: Source, records: list[Record], work: Work) -> set[str]:
    """The ids of what failed: all of it where the function did not say, as on AWS."""
    ids = {source.id(record) for record in records}
    try:
        told = await work({"Records": records})
    except (Failed, InitFailed, OSError, ValueError) as exc:
        log.warning("antiphon local: %s: %s", name, exc)
        return ids
    failures = told.get("batchItemFailures") if isinstance(told, dict) else None
    failed = {failure.get("itemIdentifier") for failure in failures or ()}
    return ids if failed - ids else failed


@asynccontextmanager
async def feeding(
    functions: Mapping[str, Function], endpoint: str, processes: Processes
) -> AsyncIterator[None]:
    """Feed the functions that there are, by their names."""
    async with aiohttp.ClientSession() as session:
        aws = Aws(session, endpoint)
        tasks = [
            asyncio.create_task(feed(name, SOURCES[name](aws), Worker(function, processes)))
            for name, function in functions.items()
        ]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
