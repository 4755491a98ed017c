"""`python -m infra.local.simulator`: runs the simulator as a process."""

import asyncio
import os
import signal
import sys
import threading
from collections.abc import Sequence

import click
from aiohttp import web

from infra.local.simulator.server import LOOPBACK, build_application, serve


@click.command()
@click.option("--host", default=LOOPBACK, show_default=True)
@click.option("--port", default=0, show_default=True, help="0: any free one.")
@click.option("--record", is_flag=True, help="Serve /_sim/requests and /_sim/script too.")
@click.option("--exit-with-parent", is_flag=True, help="Leave when standard input ends.")
@click.option("--deployment", "deployments", multiple=True, metavar="NAME=MODEL")
def main(
    host: str, port: int, *, record: bool, exit_with_parent: bool, deployments: Sequence[str]
) -> None:
    """Simulate OpenAI under /v1, Azure OpenAI under /openai and Amazon Bedrock under /bedrock."""
    models = dict(deployment.split("=", 1) for deployment in deployments)
    app = build_application(is_recording=record, deployments=models)
    asyncio.run(_serve_until_stopped(app, host, port, watch=exit_with_parent))


async def _serve_until_stopped(app: web.Application, host: str, port: int, *, watch: bool) -> None:
    loop, stopped = asyncio.get_running_loop(), asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    if watch:
        threading.Thread(target=_stop_at_end_of_input, args=(loop, stopped), daemon=True).start()
    async with serve(app, host, port) as address:
        sys.stdout.write(f"simulator listening on {address}\n")
        sys.stdout.flush()
        await stopped.wait()


def _stop_at_end_of_input(loop: asyncio.AbstractEventLoop, stopped: asyncio.Event) -> None:
    """Reads without Python's buffers, because a thread that holds their lock blocks the exit."""
    while os.read(sys.stdin.fileno(), 4096):
        continue
    loop.call_soon_threadsafe(stopped.set)


if __name__ == "__main__":
    main()
