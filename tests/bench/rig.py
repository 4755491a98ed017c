"""Everybody who takes part, each in a process of its own, started and ended with the bench."""

import asyncio
import json
import os
import tempfile
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from infra.local.aws.resources import Resources
from infra.local.processes import Processes, ServerProcess
from infra.local.runtime_api.function import child_environment, function_environment
from infra.project import PROJECT
from tests.bench import function, peer_process, peer_programs
from tests.bench.contestants import Contestant, Peer
from tests.bench.peer_programs import PeerPrograms
from tests.bench.progress import Report
from tests.bench.request import KEY
from tests.bench.task import Task, packed, source

PLAYERS = "tests.bench.players"
CREDENTIAL = "credential-of-the-bench"
DIRECT, FLOOR, BARE, NAIVE = "direct", "floor", "bare loop", "naive"
OURS, WITHOUT_TABLE, MOTO = "ours", "ours without table", "ours with moto"
RESTORED = "ours, restored"
ABOUT = {
    DIRECT: "the client asks the fake provider itself",
    FLOOR: "a thread and http.client: the least that a proxy in plain Python can do",
    BARE: "a thread and a loop over the gateway's own HTTP client, passing on what it reads",
    NAIVE: "starlette and httpx on uvicorn, as installed here (asyncio and h11)",
    OURS: "the function in its runtime process, as Lambda runs it, behind a Runtime API; in DynamoDB's place a stand-in "
    "that answers at once, so that all our own work for the link's write is counted",
    WITHOUT_TABLE: "the same without the function's time in calls to DynamoDB, which it measures itself",
    RESTORED: "the same from the restore of its snapshot (SnapStart) on, without the time that Lambda takes to load it",
    MOTO: "the function with the embedded DynamoDB of antiphon local",
    **peer_programs.ABOUT,
}


@dataclass(frozen=True)
class Rig:
    processes: Processes
    contestants: Mapping[str, Contestant]
    provider: str  # its address
    folder: Path  # for whatever is only for now
    config: Path  # of a gateway with the provider for its target
    task: Task  # what `ours` is started from
    env: Mapping[str, str]  # of the function that is `ours`
    aws: str  # the address of moto
    peers: PeerPrograms = field(default_factory=PeerPrograms)
    streaming: frozenset[str] = frozenset()  # the peers among the contestants that stream

    def some(self, *names: str) -> dict[str, Contestant]:
        return {name: self.contestants[name] for name in names}


@asynccontextmanager
async def rigged(
    report: Report,
    *,
    from_source: bool,
    with_peers: bool = False,
    targets: Iterable[str] = ("openai",),
) -> AsyncIterator[Rig]:
    """All contestants; moto has the secrets of these targets."""
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="antiphon-bench-")))
        processes = await stack.enter_async_context(Processes())

        async def play(name: str, *arguments: str) -> Peer:
            return await stack.enter_async_context(player(processes, name, *arguments))

        async def run(env: Mapping[str, str]) -> function.Ours:
            return await stack.enter_async_context(function.started(processes, task, env))

        report("building the asset")
        task = source("by --from-source") if from_source else await packed(processes, folder)
        report("starting the fake provider and the peers")
        direct = await play("provider")
        names = {FLOOR: "floor", BARE: "bare", NAIVE: "naive"}
        peers = {name: await play(module, direct.address) for name, module in names.items()}
        report("starting the function")
        config = _written(folder / "gateway.json", direct.address)
        env = _env(task, (await play("aws")).address, config)
        aws = await _moto(processes, targets)
        ours: dict[str, Contestant] = {
            OURS: await run(env),
            WITHOUT_TABLE: function.WithoutTable(await run(env | _timed())),
            MOTO: await run(_env(task, aws, config)),
        }
        everybody = {DIRECT: direct, **peers, **ours}
        rig = Rig(processes, everybody, direct.address, folder, config, task, env, aws)
        yield await _with_peers(rig, stack, report) if with_peers else rig


async def _with_peers(rig: Rig, stack: AsyncExitStack, report: Report) -> Rig:
    found = await asyncio.to_thread(peer_programs.install, report)
    place = (rig.provider, rig.folder)
    report("starting the peers that are installed")
    peers, streaming = await peer_process.start_all(stack, rig.processes, found, place)
    contestants = {**rig.contestants, **peers}
    return replace(rig, contestants=contestants, peers=found, streaming=frozenset(streaming))


@asynccontextmanager
async def player(processes: Processes, name: str, *arguments: str) -> AsyncIterator[Peer]:
    helper = await ServerProcess.start(
        processes, child_environment(), f"{PLAYERS}.{name}", *arguments
    )
    peer = Peer(await helper.wait_for_address(), helper._process.pid)
    try:
        yield peer
    finally:
        peer.close()
        await processes.end(helper._process)


async def _moto(processes: Processes, targets: Iterable[str]) -> str:
    """Start an embedded AWS with the bench's key and these targets' secrets; return its address."""
    secrets = dict.fromkeys(targets, CREDENTIAL)
    stdin = Resources([(KEY, "bench")], secrets).to_line()
    server = await ServerProcess.start(
        processes, child_environment(), "infra.local.aws.server", stdin=stdin
    )
    return await server.wait_for_address()


def _written(path: Path, provider: str) -> Path:
    target = {"provider": "openai", "base_url": f"{provider}/v1", "models": ["gpt-*"]}
    return write_config(path, {"openai": target})


def write_config(path: Path, targets: Mapping[str, object]) -> Path:
    gateway = {"key_cache_seconds": 300}  # a key is read once, as for most calls of a busy function
    path.write_text(json.dumps({"gateway": gateway, "targets": targets}))
    return path


def timed_environment(task: Task, aws: str, config: Path) -> dict[str, str]:
    """Of a function that reports its calls to AWS, see players/timed.py."""
    return _env(task, aws, config) | _timed()


def _env(task: Task, aws: str, config: Path) -> dict[str, str]:
    return function_environment(task.root, aws, config, os.environ)


def _timed() -> dict[str, str]:
    return {"_HANDLER": f"{PLAYERS}.timed.handler", "PYTHONPATH": str(PROJECT)}
