"""A peer in a process of its own, from its start to the time at which it takes requests."""

import asyncio
import os
import socket
from asyncio.subprocess import DEVNULL, Process
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path

from infra.local.processes import Processes
from infra.project import PROJECT
from tests.bench.contestants import Broken, Peer
from tests.bench.peer_programs import PeerPrograms, Program
from tests.bench.request import EMPTY, WHOLE

SECONDS_TO_START = 240.0  # LiteLLM takes over a minute of a busy machine
SECONDS_BETWEEN_TRIES = 0.01
# In this shell the peer's own log goes nowhere.
QUIET = ("/bin/sh", "-c", 'exec "$@" 2> /dev/null', "sh")


@asynccontextmanager
async def started(
    processes: Processes, program: Program, provider: str, folder: Path
) -> AsyncIterator[Peer]:
    """Once it accepts connections; raise Broken where it does not."""
    port = _free_port()
    process = await processes.start(
        *QUIET,
        *program.command(port, provider, folder),
        cwd=PROJECT,
        env={**_environment(), **program.env(provider)},
        stdin=DEVNULL,
        stdout=DEVNULL,
    )
    peer = Peer(f"http://127.0.0.1:{port}", process.pid, program.headers(provider))
    try:
        await _until_it_accepts(port, process)
        yield peer
    finally:
        peer.close()
        await processes.end(process)


async def start_all(
    stack: AsyncExitStack, processes: Processes, found: PeerPrograms, place: tuple[str, Path]
) -> tuple[dict[str, Peer], set[str]]:
    """Those that answer, and the names of those that stream; the others are left out with a reason."""
    peers: dict[str, Peer] = {}
    streaming: set[str] = set()
    for name, program in list(found.programs.items()):
        try:
            peer = await stack.enter_async_context(started(processes, program, *place))
            await peer.ask(WHOLE)
            peers[name] = peer
            await peer.ask(EMPTY)
            streaming.add(name)
        except (Broken, OSError) as exc:
            what = "of streams" if name in peers else "of everything"
            found.left_out[f"{name}, {what}"] = str(exc) or repr(exc)
            if name not in peers:
                del found.programs[name]
    return peers, streaming


async def _until_it_accepts(port: int, process: Process) -> None:
    async with asyncio.timeout(SECONDS_TO_START):
        while process.returncode is None:
            with suppress(OSError):
                _, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.close()
                return
            await asyncio.sleep(SECONDS_BETWEEN_TRIES)
    raise Broken(f"It ended with {process.returncode}.")


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port: int = taken.getsockname()[1]
        return port


def _environment() -> Mapping[str, str]:
    return {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
