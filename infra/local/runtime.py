"""One Lambda environment: a real runtime process with a Runtime API of its own."""

import asyncio
import contextlib
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from infra.local.desk import Desk, InitFailed
from infra.local.invocation import Invocation
from infra.local.process import Processes, kill, pass_on
from infra.local.runtime_api import Connection

MANAGED = "/var/runtime/bootstrap.py"  # what Lambda would start if the wrapper did not
INIT_SECONDS = 60.0
SECONDS_TO_READ_OUT = 1.0


@dataclass(frozen=True)
class Function:
    """What Lambda knows of a function: enough to start its processes."""

    wrapper: Path  # AWS_LAMBDA_EXEC_WRAPPER
    root: Path  # LAMBDA_TASK_ROOT
    env: Mapping[str, str]
    seconds: float  # that an invocation may take


class Runtime:
    """A process that answers one event at a time, until it dies."""

    def __init__(self, function: Function, processes: Processes) -> None:
        self._function = function
        self._processes = processes
        self._desk = Desk()

    @classmethod
    async def start(cls, function: Function, processes: Processes) -> Self:
        """Start a process and wait until it asks for an event; raise InitFailed otherwise."""
        runtime = cls(function, processes)
        await runtime._open()
        try:
            async with asyncio.timeout(INIT_SECONDS):
                await runtime._desk.ready
        except TimeoutError as exc:
            await runtime.end()
            raise InitFailed(f"It did not ask for an event in {INIT_SECONDS:g} seconds.") from exc
        except BaseException:
            await runtime.end()
            raise
        return runtime

    @property
    def alive(self) -> bool:
        return not self._desk.gone

    def invoke(self, event: bytes, freed: Callable[[], None]) -> Invocation:
        """Have the event answered; `freed` is called when the runtime can take the next one."""
        seconds = self._function.seconds
        invocation = Invocation(event, seconds)
        timer = asyncio.get_running_loop().call_later(seconds, self._time_out)

        def free() -> None:
            timer.cancel()
            freed()

        self._desk.give(invocation, free)
        return invocation

    async def end(self) -> None:
        self._desk.leave("The gateway was stopped.")
        await self._processes.end(self._process)
        await self._watch

    async def _open(self) -> None:
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: Connection(self._desk), "127.0.0.1", 0)
        port = self._server.sockets[0].getsockname()[1]
        self._process = await self._processes.start(
            str(self._function.wrapper),
            sys.executable,
            MANAGED,
            cwd=self._function.root,
            env={**self._function.env, "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{port}"},
            stdin=DEVNULL,
            stdout=PIPE,
        )
        self._watch = asyncio.create_task(self._watch_over(self._process))

    async def _watch_over(self, process: Process) -> None:
        log = asyncio.create_task(pass_on(process.stdout)) if process.stdout else None
        code = await process.wait()
        # What it wrote before it ended is still to be read: first its answer, then its log.
        await _briefly(self._desk.read_out())
        self._server.close()
        self._desk.leave(f"The runtime's process ended with {code}.")
        if log:
            await _briefly(log)

    def _time_out(self) -> None:
        self._desk.leave(f"Task timed out after {self._function.seconds:.2f} seconds")
        kill(self._process)


async def _briefly(reading: Awaitable[None]) -> None:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(SECONDS_TO_READ_OUT):
            await reading
