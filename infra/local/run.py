"""Runs a gateway until a signal ends it."""

import asyncio
import resource
import signal
from pathlib import Path

from rich.console import Console

from infra.local import report
from infra.local.processes import Processes
from infra.local.session import Plan, serving

ENDS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
OPEN_FILES = 8192


def run(plan: Plan, console: Console, ready_file: Path | None) -> None:
    """Return after SIGTERM, SIGINT or SIGHUP, with no process left behind."""
    _allow_open_files()
    if ready_file:
        ready_file.unlink(missing_ok=True)  # an earlier run's
    asyncio.run(_until_signalled(plan, console, ready_file))


async def _until_signalled(plan: Plan, console: Console, ready_file: Path | None) -> None:
    processes = Processes()
    serves = asyncio.create_task(_serve(plan, processes, console, ready_file))

    def end() -> None:
        if serves.cancelling():
            processes.kill_all()  # asked a second time: no more patience
        else:
            serves.cancel()

    for number in filter(_counts, ENDS):
        asyncio.get_running_loop().add_signal_handler(number, end)
    await asyncio.wait({serves})
    if not serves.cancelled():
        serves.result()


async def _serve(
    plan: Plan, processes: Processes, console: Console, ready_file: Path | None
) -> None:
    with console.status("Starting …") as status:
        up = 0

        def started() -> None:
            nonlocal up
            up += 1
            status.update(f"Starting: {up} of {plan.concurrency} runtimes are up …")

        async with serving(plan, processes, started) as gateway:
            status.stop()
            with report.noting(plan, gateway):
                if ready_file:
                    report.write_ready_file(ready_file, plan, gateway)
                report.greet(console, plan, gateway)
                await asyncio.Event().wait()


def _counts(number: signal.Signals) -> bool:
    """Whoever uses nohup wants to be spared that one signal."""
    return number is not signal.SIGHUP or signal.getsignal(number) is not signal.SIG_IGN


def _allow_open_files() -> None:
    """A runtime takes four, a stream one more, and some systems start with 256."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = OPEN_FILES if hard == resource.RLIM_INFINITY else min(OPEN_FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
