"""Helper processes of ours: they print where they listen, and end when our end of a pipe does."""

import asyncio
import re
import sys
from asyncio import StreamReader
from asyncio.subprocess import PIPE, Process
from collections.abc import Mapping
from pathlib import Path
from typing import Self

from infra.local.process import Processes, pass_on

ROOT = Path(__file__).parents[2]
_ADDRESS = re.compile(rb"listening on (http://\S+)")


class HelperFailed(Exception):
    """A helper process ended before it listened; it has said why itself."""


class Helper:
    def __init__(self, name: str, process: Process, output: StreamReader) -> None:
        self._name = name
        self._process = process  # holds its standard input open
        self._output = output
        self._chatter: asyncio.Task[None] | None = None

    @classmethod
    async def start(
        cls, processes: Processes, env: Mapping[str, str], *module: str, says: bytes = b""
    ) -> Self:
        """Start `python -m module`; `says` is what it is told on its standard input."""
        process = await processes.start(
            sys.executable, "-m", *module, cwd=ROOT, env=env, stdin=PIPE, stdout=PIPE
        )
        if process.stdin is None or process.stdout is None:  # only if asked for no pipes
            raise HelperFailed(module[0])
        process.stdin.write(says)
        return cls(module[0], process, process.stdout)

    async def address(self) -> str:
        """Wait until it listens."""
        async for line in self._output:
            if found := _ADDRESS.search(line):
                self._chatter = asyncio.create_task(pass_on(self._output))
                return found[1].decode()
        raise HelperFailed(f"{self._name} did not start.")
