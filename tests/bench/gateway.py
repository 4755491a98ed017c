"""`antiphon local` as users start it, with the bench's provider for its target."""

import asyncio
import json
import os
import sys
from asyncio.subprocess import DEVNULL, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from infra.local.options import KEYS_VARIABLE
from infra.local.runtime_api.function import child_environment
from infra.project import PROJECT
from tests.bench.contestants import Broken, Peer
from tests.bench.request import KEY
from tests.bench.rig import CREDENTIAL, Rig

SECONDS_TO_START = 60.0  # and one for each runtime
SECONDS_TO_END = 30.0
SECONDS_BETWEEN_LOOKS = 0.05
MOST_OF_A_LOG = 1000  # characters
# Its log goes to a file, where it costs what it costs, and disturbs nobody.
COMMAND = 'exec "$0" -m infra.cli local --port 0 --rest-port 0 "$@" 2> "$LOG"'


@asynccontextmanager
async def running(rig: Rig, concurrency: int) -> AsyncIterator[Peer]:
    """Its Function URL, with so many runtimes behind; raise Broken where it does not start."""
    ready, log = rig.folder / "ready.json", rig.folder / "log"
    process = await _start(rig, concurrency, ready, log)
    try:
        async with asyncio.timeout(SECONDS_TO_START + concurrency):
            await _until_there(ready, process, log)
        peer = Peer(json.loads(ready.read_text())["url"].removesuffix("/v1"), process.pid)
        yield peer
        peer.close()
    finally:
        await _end(rig, process)
        ready.unlink(missing_ok=True)


async def _start(rig: Rig, concurrency: int, ready: Path, log: Path) -> Process:
    given = {KEYS_VARIABLE: f"bench={KEY}", "ANTIPHON_SECRET_OPENAI": CREDENTIAL, "LOG": str(log)}
    options = ("--concurrency", str(concurrency), "--ready-file", str(ready))
    return await rig.processes.start(
        *("/bin/sh", "-c", COMMAND, sys.executable, "--config", str(rig.config), *options),
        cwd=PROJECT,
        env=child_environment(os.environ) | given,
        stdin=DEVNULL,
        stdout=DEVNULL,
    )


async def _until_there(ready: Path, process: Process, log: Path) -> None:
    while not _is_there(ready):
        if process.returncode is not None:
            raise Broken(f"antiphon local did not start: {_end_of(log)}")
        await asyncio.sleep(SECONDS_BETWEEN_LOOKS)


def _is_there(ready: Path) -> bool:
    return ready.exists()


def _end_of(log: Path) -> str:
    return log.read_text("utf-8", "replace")[-MOST_OF_A_LOG:]


async def _end(rig: Rig, process: Process) -> None:
    """Many runtimes take longer to leave than our own processes are given."""
    if process.returncode is None:
        process.terminate()
    with suppress(TimeoutError):
        async with asyncio.timeout(SECONDS_TO_END):
            await process.wait()
    await rig.processes.end(process)
