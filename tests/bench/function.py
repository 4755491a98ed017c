"""The gateway's function in the process that Lambda would run, behind the Runtime API of infra."""

import asyncio
import contextlib
import json
import time
from asyncio.subprocess import DEVNULL
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

from infra.local.processes import Processes
from infra.local.runtime_api.connection import Connection, Exchange
from infra.local.runtime_api.http_requests import RequestHead
from infra.local.runtime_api.invocation import Invocation, InvocationSlot
from infra.local.runtime_api.runtimes import MANAGED_RUNTIME
from tests.bench.answer import AWS_BYTES, AWS_CALLS, IN_AWS, Answer
from tests.bench.contestants import PATIENCE_SECONDS, Broken, good
from tests.bench.request import Ask, event
from tests.bench.task import Task

PRELUDE_END = bytes(8)


class Timed(Invocation):
    """Records each piece with the time at which it was read."""

    def __init__(self, event: bytes) -> None:
        super().__init__(event, PATIENCE_SECONDS)
        self.done = 0
        self.failure: str | None = None
        self.pieces: list[tuple[int, bytes]] = []

    def put(self, piece: bytes) -> None:
        self.pieces.append((time.monotonic_ns(), piece))

    def end(self, failure: str | None = None) -> None:
        self.done, self.failure = time.monotonic_ns(), failure
        super().end(failure)

    def answer(self, sent: int) -> Answer:
        """Without the prelude, which a caller sees as status and headers."""
        if self.failure is not None or not self.pieces:
            raise Broken(f"The function failed: {self.failure}")
        (at, opening), *rest = self.pieces
        prelude, _, first = opening.partition(PRELUDE_END)
        head = json.loads(prelude)
        aws = [int(head["headers"].get(name, 0)) for name in (IN_AWS, AWS_CALLS, AWS_BYTES)]
        return Answer(sent, head["statusCode"], [(at, first), *rest], self.done, *aws)


class Noting(Connection):
    """Notes when the function is restored from its snapshot, which is when it asks for that."""

    def __init__(self, slot: InvocationSlot, restored: list[int]) -> None:
        super().__init__(slot)
        self._restored = restored

    def _start_exchange(self, head: RequestHead) -> Exchange:
        if head.path.endswith("/restore/next"):
            self._restored.append(time.monotonic_ns())
        return super()._start_exchange(head)


@dataclass(frozen=True)
class Ours:
    pid: int
    slot: InvocationSlot
    restored: list[int] = field(default_factory=list)  # the times of it, in nanoseconds

    async def ask(self, ask: Ask) -> Answer:
        invocation = Timed(event(ask))
        freed = asyncio.Event()
        sent = time.monotonic_ns()
        self.slot.assign(invocation, freed.set)
        async with asyncio.timeout(PATIENCE_SECONDS):
            await freed.wait()  # it asks for the next event: all is done for this one
        return good(invocation.answer(sent))


@dataclass(frozen=True)
class WithoutTable:
    """The same without its time in calls to AWS; raise Broken where it reports none."""

    ours: Ours

    @property
    def pid(self) -> int:
        return self.ours.pid

    async def ask(self, ask: Ask) -> Answer:
        answer = await self.ours.ask(ask)
        if not answer.in_aws:
            raise Broken("The function reported no time of its calls to AWS: see players/timed.py.")
        return replace(answer, sent=answer.sent + answer.in_aws)


@asynccontextmanager
async def started(processes: Processes, task: Task, env: Mapping[str, str]) -> AsyncIterator[Ours]:
    """Once it asks for its first event; raise InitFailed where it does not."""
    slot, loop, restored = InvocationSlot(), asyncio.get_running_loop(), list[int]()
    server = await loop.create_server(lambda: Noting(slot, restored), "127.0.0.1", 0)
    here = "{}:{}".format(*server.sockets[0].getsockname())
    command = (str(task.root / "start-streaming"), task.python, MANAGED_RUNTIME)
    env = {**env, "AWS_LAMBDA_RUNTIME_API": here}
    # What it logs is written, as on Lambda, and read by nobody.
    process = await processes.start(*command, cwd=task.root, env=env, stdin=DEVNULL, stdout=DEVNULL)
    watch = asyncio.create_task(process.wait())
    watch.add_done_callback(lambda _: slot.end("Its process has ended."))
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            await slot.ready
        yield Ours(process.pid, slot, restored)
    finally:
        server.close()
        await processes.end(process)
        with contextlib.suppress(asyncio.CancelledError):
            await watch
