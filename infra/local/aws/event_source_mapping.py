"""Event source mappings as Lambda has them: they invoke a function with batches of records."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

import aiohttp

from infra.local.aws.event_sources import (
    AwsClient,
    EventSource,
    OperationFailed,
    QueueSource,
    Record,
    StreamSource,
)
from infra.local.processes import Processes
from infra.local.runtime_api.function import Function
from infra.local.runtime_api.invocation import Failed, InitFailed
from infra.local.runtime_api.runtimes import RuntimePool

RETRY_SECONDS = 1.0

type Event = Mapping[str, Any]
type Invoke = Callable[[Event], Awaitable[Any]]

log = logging.getLogger(__name__)

EVENT_SOURCES: Mapping[str, Callable[[AwsClient], EventSource]] = {
    "settle": QueueSource,
    "rollup": StreamSource,
}


class LazyFunction:
    """A function with one runtime, which starts at the first event to save time at the start."""

    def __init__(self, function: Function, processes: Processes) -> None:
        self._pool = RuntimePool(function, processes, limit=1)
        self._started = False

    async def invoke(self, event: Event) -> Any:
        """Return the function's result; raise Failed or InitFailed."""
        if not self._started:
            await self._pool.start(1)
            self._started = True
        invocation = await self._pool.invoke(json.dumps(event).encode())
        return json.loads(b"".join([chunk async for chunk in invocation.chunks]) or b"null")


async def poll(name: str, source: EventSource, invoke: Invoke) -> None:
    """Invoke the function for batch after batch, until the task is cancelled."""
    while True:
        try:
            records = await source.receive()
            if records:
                failed = await _invoke_batch(name, source, records, invoke)
                await source.complete(records, failed)
        except (aiohttp.ClientError, TimeoutError, OperationFailed, LookupError) as exc:
            log.warning("antiphon local: %s: %r", name, exc)
            await asyncio.sleep(RETRY_SECONDS)


async def _invoke_batch(
    name: str, source: EventSource, records: list[Record], invoke: Invoke
) -> set[str]:
    """Return the identifiers that failed: all of them after an error or an unknown identifier.

    https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html
    """
    ids = {source.record_id(record) for record in records}
    try:
        result = await invoke({"Records": records})
    except (Failed, InitFailed, OSError, ValueError) as exc:
        log.warning("antiphon local: %s: %s", name, exc)
        return ids
    failures = result.get("batchItemFailures") if isinstance(result, dict) else None
    failed = {failure.get("itemIdentifier") for failure in failures or ()}
    return ids if failed - ids else failed


@asynccontextmanager
async def map_event_sources(
    functions: Mapping[str, Function], endpoint: str, processes: Processes
) -> AsyncIterator[None]:
    """Invoke the functions, by name, from their event sources until the block ends."""
    async with aiohttp.ClientSession() as session:
        aws = AwsClient(session, endpoint)
        tasks = [
            asyncio.create_task(
                poll(name, EVENT_SOURCES[name](aws), LazyFunction(function, processes).invoke)
            )
            for name, function in functions.items()
        ]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
