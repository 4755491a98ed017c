"""As many environments as may run at once; requests beyond them wait for their turn."""

import asyncio
import os
from collections.abc import Callable

from infra.local.desk import InitFailed
from infra.local.invocation import Failed, Invocation
from infra.local.process import Processes
from infra.local.runtime import Function, Runtime


class Pool:
    def __init__(self, function: Function, processes: Processes) -> None:
        self._function = function
        self._processes = processes
        self._at_once = asyncio.Semaphore(os.cpu_count() or 1)
        # The one used last is the warmest; those who wait are served in their order all the same.
        self._free: asyncio.LifoQueue[Runtime] = asyncio.LifoQueue()

    async def start(self, count: int, started: Callable[[], None] = lambda: None) -> None:
        """Start them all; raise InitFailed if one does not start."""

        async def one() -> None:
            self._free.put_nowait(await self._start())
            started()

        try:
            async with asyncio.TaskGroup() as starts:
                for _ in range(count):
                    starts.create_task(one())
        except ExceptionGroup as failures:
            raise failures.exceptions[0] from None  # the others fail alike

    async def invoke(self, event: bytes) -> Invocation:
        """Have an event answered as soon as a runtime is free, in the order of asking."""
        runtime = await self._free.get()
        if not runtime.alive:
            runtime = await self._replaced(runtime)
        return runtime.invoke(event, lambda: self._free.put_nowait(runtime))

    async def _replaced(self, dead: Runtime) -> Runtime:
        try:
            return await self._start()
        except (InitFailed, OSError) as exc:
            self._free.put_nowait(dead)  # the next request tries again
            raise Failed(str(exc)) from exc

    async def _start(self) -> Runtime:
        async with self._at_once:
            return await Runtime.start(self._function, self._processes)
