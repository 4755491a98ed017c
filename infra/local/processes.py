"""Child processes: their start, their output, and their end."""

import asyncio
import contextlib
import os
import re
import signal
import sys
from asyncio import StreamReader
from asyncio.subprocess import PIPE, Process
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Self

from infra.project import PROJECT

TERMINATION_SECONDS = 3.0
_ADDRESS = re.compile(rb"listening on (http://\S+)")


class Processes:
    """Starts child processes, and ends all of them at the end of the block."""

    def __init__(self) -> None:
        self._running: set[Process] = set()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await asyncio.gather(*map(self.end, self._running))

    async def start(
        self, *command: str, cwd: Path, env: Mapping[str, str], stdin: int, stdout: int
    ) -> Process:
        # In a session of its own: Ctrl-C reaches only the parent, and a signal to the child's
        # group reaches all processes that the child starts.
        process = await asyncio.create_subprocess_exec(
            *command, cwd=cwd, env=env, stdin=stdin, stdout=stdout, start_new_session=True
        )
        self._running.add(process)
        return process

    async def end(self, process: Process) -> None:
        """Send SIGTERM, and SIGKILL if the process still runs after TERMINATION_SECONDS."""
        terminate(process)
        try:
            async with asyncio.timeout(TERMINATION_SECONDS):
                await process.wait()
        except TimeoutError:
            kill(process)
            await process.wait()
        self._running.discard(process)

    def kill_all(self) -> None:
        for process in self._running:
            kill(process)


async def copy_to_stderr(output: StreamReader) -> None:
    """Log a child's output; records in CloudWatch's format have carriage returns in them."""
    while data := await output.read(1 << 16):
        sys.stderr.write(data.replace(b"\r", b"\n").decode("utf-8", "replace"))
        sys.stderr.flush()


async def copy_lines(output: StreamReader, take: Callable[[bytes], bool]) -> None:
    """Log the lines of a child that `take` does not take."""
    rest = b""
    while data := await output.read(1 << 16):
        *lines, rest = (rest + data).replace(b"\r", b"\n").split(b"\n")
        _write_lines(line for line in lines if not take(line))
    _write_lines([rest] if rest else [])


def _write_lines(lines: Iterable[bytes]) -> None:
    text = b"".join(line + b"\n" for line in lines)
    if text:
        sys.stderr.write(text.decode("utf-8", "replace"))
        sys.stderr.flush()


def terminate(process: Process) -> None:
    _signal(process, signal.SIGTERM)


def kill(process: Process) -> None:
    _signal(process, signal.SIGKILL)


def _signal(process: Process, number: signal.Signals) -> None:
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):  # it ended just now
            os.killpg(process.pid, number)


class ServerFailed(Exception):
    """A server process ended before it listened; its own output has the reason."""


class ServerProcess:
    """A Python module that prints its address, and ends when its standard input is closed."""

    def __init__(self, module: str, process: Process, output: StreamReader) -> None:
        self._module = module
        self._process = process  # has the open pipe of the standard input
        self._output = output
        self._copying: asyncio.Task[None] | None = None

    @classmethod
    async def start(
        cls, processes: Processes, env: Mapping[str, str], *module: str, stdin: bytes = b""
    ) -> Self:
        """Start `python -m module`, with `stdin` on its standard input."""
        process = await processes.start(
            sys.executable, "-m", *module, cwd=PROJECT, env=env, stdin=PIPE, stdout=PIPE
        )
        if process.stdin is None or process.stdout is None:  # not with PIPE
            raise ServerFailed(module[0])
        process.stdin.write(stdin)
        return cls(module[0], process, process.stdout)

    async def wait_for_address(self) -> str:
        """Wait until the server listens, and return its URL; raise ServerFailed."""
        async for line in self._output:
            if found := _ADDRESS.search(line):
                self._copying = asyncio.create_task(copy_to_stderr(self._output))
                return found[1].decode()
        raise ServerFailed(f"{self._module} did not start.")
