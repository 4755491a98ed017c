"""Lambda environments: real runtime processes, and a pool that distributes events to them."""

import asyncio
import contextlib
import os
import sys
import weakref
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Awaitable, Callable
from typing import Self

from infra.local.processes import Processes, copy_lines, kill, terminate
from infra.local.runtime_api.connection import Connection
from infra.local.runtime_api.function import Function
from infra.local.runtime_api.invocation import Failed, InitFailed, Invocation, InvocationSlot

MANAGED_RUNTIME = "/var/runtime/bootstrap.py"  # what Lambda passes to the wrapper script
INIT_TIMEOUT_SECONDS = 60.0
DRAIN_SECONDS = 1.0
# What an event waits for a busy runtime before another one starts: a runtime that has answered
# requests the next event a moment later, and most answers take less than a start.
PATIENCE_SECONDS = 0.05

type TakeLine = Callable[[bytes], bool]  # returns whether a line of the log is not to be printed


def print_all(_: bytes) -> bool:
    return False


class Runtime:
    """A runtime process with a Runtime API of its own; it processes one event at a time."""

    def __init__(self, function: Function, processes: Processes, take_line: TakeLine) -> None:
        self._function = function
        self._processes = processes
        self._take_line = take_line
        self._slot = InvocationSlot()

    @classmethod
    async def start(
        cls, function: Function, processes: Processes, take_line: TakeLine = print_all
    ) -> Self:
        """Start a process and wait for its first request for an event; raise InitFailed."""
        runtime = cls(function, processes, take_line)
        await runtime._start_process()
        try:
            async with asyncio.timeout(INIT_TIMEOUT_SECONDS):
                await runtime._slot.ready
        except TimeoutError as exc:
            await runtime.end()
            raise InitFailed(
                f"It did not request an event within {INIT_TIMEOUT_SECONDS:g} seconds."
            ) from exc
        except BaseException:
            await runtime.end()
            raise
        return runtime

    @property
    def is_alive(self) -> bool:
        return not self._slot.has_ended

    def invoke(self, event: bytes, on_free: Callable[[], None]) -> Invocation:
        """Process the event; `on_free` is called when the runtime can take the next one."""
        seconds = self._function.seconds
        invocation = Invocation(event, seconds)
        timer = asyncio.get_running_loop().call_later(seconds, self._time_out)

        def free() -> None:
            timer.cancel()
            on_free()

        self._slot.assign(invocation, free)
        return invocation

    def terminate(self) -> None:
        """Have the process end when it has ended the response that it streams."""
        terminate(self._process)

    async def end(self) -> None:
        self._slot.end("The gateway was stopped.")
        await self._processes.end(self._process)
        await self._watch

    async def _start_process(self) -> None:
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: Connection(self._slot), "127.0.0.1", 0)
        try:
            self._process = await self._launch(self._server.sockets[0].getsockname()[1])
        except BaseException:
            self._server.close()
            raise
        self._watch = asyncio.create_task(self._wait_for_exit(self._process))

    async def _launch(self, port: int) -> Process:
        return await self._processes.start(
            str(self._function.wrapper),
            sys.executable,
            MANAGED_RUNTIME,
            cwd=self._function.root,
            env={**self._function.env, "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{port}"},
            stdin=DEVNULL,
            stdout=PIPE,
        )

    async def _wait_for_exit(self, process: Process) -> None:
        log = None
        if process.stdout:
            log = asyncio.create_task(copy_lines(process.stdout, self._take_line))
        code = await process.wait()
        # First read what the process wrote before it ended: its response, then its log.
        await _wait_briefly(self._slot.wait_until_disconnected())
        self._server.close()
        self._slot.end(f"The runtime's process ended with {code}.")
        if log:
            await _wait_briefly(log)

    def _time_out(self) -> None:
        self._slot.end(f"Task timed out after {self._function.seconds:.2f} seconds")
        kill(self._process)


async def _wait_briefly(reading: Awaitable[None]) -> None:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(DRAIN_SECONDS):
            await reading


class RuntimePool:
    """At most `limit` runtimes, which start when events need them; events wait in their order."""

    def __init__(
        self,
        function: Function,
        processes: Processes,
        limit: int,
        *,
        take_line: TakeLine = print_all,
        patience: float = PATIENCE_SECONDS,
    ) -> None:
        self._function = function
        self._processes = processes
        self._take_line = take_line
        self._patience = patience
        self._unstarted = limit
        self._start_limit = asyncio.Semaphore(os.cpu_count() or 1)
        # Last in, first out: the runtime used last has the warmest caches. None: one that could
        # not start.
        self._free: asyncio.LifoQueue[Runtime | None] = asyncio.LifoQueue()
        self._runtimes: weakref.WeakSet[Runtime] = weakref.WeakSet()
        self._starts: set[asyncio.Task[None]] = set()
        self._is_stopped = False

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        self.stop()
        await asyncio.gather(*self._starts, return_exceptions=True)

    async def start(self, count: int, on_start: Callable[[], None] = lambda: None) -> None:
        """Start `count` runtimes before the first event; `on_start` is called for each.

        Raise InitFailed.
        """

        async def start_one() -> None:
            self._free.put_nowait(await self._start_runtime())
            self._unstarted -= 1
            on_start()

        try:
            async with asyncio.TaskGroup() as starts:
                for _ in range(count):
                    starts.create_task(start_one())
        except ExceptionGroup as failures:
            raise failures.exceptions[0] from None  # the others have the same cause

    def stop(self) -> None:
        """Have the runtimes end, each after the response that it streams, and start no other."""
        if self._is_stopped:
            return  # a second cancellation would leave a process that the first one is ending
        self._is_stopped = True
        for start in self._starts:
            start.cancel()
            self._free.put_nowait(None)  # an event waits for it
        for runtime in self._runtimes:
            runtime.terminate()

    async def invoke(self, event: bytes) -> Invocation:
        """Wait for a free runtime and invoke it; raise Failed where none can start."""
        runtime = await self._take()
        if runtime is None or not runtime.is_alive:
            runtime = await self._replace(runtime)
        return runtime.invoke(event, lambda: self._free.put_nowait(runtime))

    async def _take(self) -> Runtime | None:
        """Wait for the first free runtime, whether it was busy or starts for this event."""
        if not self._unstarted:
            return await self._free.get()
        timer = asyncio.get_running_loop().call_later(self._patience, self._start_another)
        try:
            return await self._free.get()
        finally:
            timer.cancel()

    def _start_another(self) -> None:
        if self._unstarted and not self._is_stopped:
            self._unstarted -= 1
            start = asyncio.create_task(self._add_runtime())
            self._starts.add(start)
            start.add_done_callback(self._starts.discard)

    async def _add_runtime(self) -> None:
        try:
            self._free.put_nowait(await self._start_runtime())
        except (InitFailed, OSError):
            if self._free.empty():
                self._free.put_nowait(None)  # an event waits: it tries again, and has the reason
            else:
                self._unstarted += 1

    async def _replace(self, dead: Runtime | None) -> Runtime:
        try:
            return await self._start_runtime()
        except (InitFailed, OSError) as exc:
            self._free.put_nowait(dead)  # the next event tries again
            raise Failed(str(exc)) from exc

    async def _start_runtime(self) -> Runtime:
        async with self._start_limit:
            if self._is_stopped:
                raise InitFailed("The gateway is shutting down.")
            runtime = await Runtime.start(self._function, self._processes, self._take_line)
        self._runtimes.add(runtime)
        return runtime
