"""Child processes, and their certain end."""

import asyncio
import contextlib
import os
import signal
import sys
from asyncio.subprocess import Process
from collections.abc import Mapping
from pathlib import Path
from typing import Self

SECONDS_TO_LEAVE = 3.0


class Processes:
    """Starts every child process there is, and ends them all on leaving."""

    def __init__(self) -> None:
        self._running: set[Process] = set()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await asyncio.gather(*map(self.end, self._running))

    async def start(
        self, *command: str, cwd: Path, env: Mapping[str, str], stdin: int, stdout: int
    ) -> Process:
        # A session of its own: Ctrl-C reaches us alone, and our signals all that the child starts.
        process = await asyncio.create_subprocess_exec(
            *command, cwd=cwd, env=env, stdin=stdin, stdout=stdout, start_new_session=True
        )
        self._running.add(process)
        return process

    async def end(self, process: Process) -> None:
        """Ask it to end; see to it after a short while."""
        _signal(process, signal.SIGTERM)
        try:
            async with asyncio.timeout(SECONDS_TO_LEAVE):
                await process.wait()
        except TimeoutError:
            kill(process)
            await process.wait()
        self._running.discard(process)

    def kill_all(self) -> None:
        for process in self._running:
            kill(process)


async def pass_on(output: asyncio.StreamReader) -> None:
    """A child's output is our log. In CloudWatch's way a record's lines end with returns."""
    while data := await output.read(1 << 16):
        sys.stderr.write(data.replace(b"\r", b"\n").decode("utf-8", "replace"))
        sys.stderr.flush()


def kill(process: Process) -> None:
    _signal(process, signal.SIGKILL)


def _signal(process: Process, number: signal.Signals) -> None:
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):  # it has just ended by itself
            os.killpg(process.pid, number)
