"""Runs a local gateway until a signal ends it."""

import asyncio
import gc
import resource
import signal
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from infra.local import startup_report
from infra.local.gateway import run_gateway
from infra.local.options import GatewayOptions
from infra.local.processes import Processes
from infra.local.request_log import RequestLog
from infra.local.request_printer import Format, print_requests

END_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
OPEN_FILES = 8192


@dataclass(frozen=True)
class Output:
    """Where a gateway reports: that it is ready, and each request."""

    console: Console
    ready_file: Path | None
    requests: Format


def supervise(options: GatewayOptions, output: Output) -> None:
    """Return after SIGTERM, SIGINT or SIGHUP, when all child processes have ended."""
    _raise_file_limit()
    if output.ready_file:
        output.ready_file.unlink(missing_ok=True)  # from an earlier run
    asyncio.run(_run_until_signal(options, output))


async def _run_until_signal(options: GatewayOptions, output: Output) -> None:
    processes = Processes()
    running = asyncio.create_task(_run(options, processes, output))

    def end() -> None:
        if running.cancelling():
            processes.kill_all()  # the second signal ends everything at once
        else:
            running.cancel()

    for number in filter(_is_handled, END_SIGNALS):
        asyncio.get_running_loop().add_signal_handler(number, end)
    await asyncio.wait({running})
    if not running.cancelled():
        running.result()


async def _run(options: GatewayOptions, processes: Processes, output: Output) -> None:
    log = RequestLog(prints_raw=options.is_debugging)
    with (
        output.console.status("Starting …") as status,
        print_requests(log, output.requests, options.config),
    ):
        count = 0

        def show_progress() -> None:
            nonlocal count
            count += 1
            status.update(f"Starting: {count} of {options.started_runtimes} runtimes are ready …")

        async with run_gateway(options, processes, log, show_progress) as gateway:
            status.stop()
            gc.freeze()  # what has been loaded stays: to look through it would hold up replies
            with startup_report.publish(options, gateway):
                if output.ready_file:
                    startup_report.write_ready_file(output.ready_file, options, gateway)
                startup_report.print_facts(output.console, options, gateway)
                await asyncio.Event().wait()


def _is_handled(number: signal.Signals) -> bool:
    """SIGHUP stays ignored under nohup."""
    return number is not signal.SIGHUP or signal.getsignal(number) is not signal.SIG_IGN


def _raise_file_limit() -> None:
    """A runtime needs four open files and a stream one more; some systems start with 256."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = OPEN_FILES if hard == resource.RLIM_INFINITY else min(OPEN_FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
