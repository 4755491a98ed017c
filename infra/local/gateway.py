"""Starts a local gateway: AWS, the simulator, the runtimes, and the endpoints, in this order."""

import json
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from infra.local.aws.event_source_mapping import map_event_sources
from infra.local.http.endpoint import (
    FUNCTION_URL,
    REST_API,
    Endpoint,
    base_url,
    listen,
    reserve_port,
)
from infra.local.options import GatewayOptions
from infra.local.processes import Processes, ServerProcess
from infra.local.request_feed import serve_feed
from infra.local.request_log import RequestLog
from infra.local.runtime_api.function import child_environment
from infra.local.runtime_api.runtimes import RuntimePool
from infra.local.target_setup import NO_SIMULATOR, Document


@dataclass(frozen=True)
class Gateway:
    """The addresses of a gateway that is ready."""

    url: str
    rest: str
    aws: str
    simulator: str | None
    requests_port: int  # of the feed of log lines
    configuration: Path


@asynccontextmanager
async def run_gateway(
    options: GatewayOptions, processes: Processes, log: RequestLog, on_start: Callable[[], None]
) -> AsyncIterator[Gateway]:
    """Run a gateway until the block ends; `on_start` is called for each runtime that started.

    `log` gets the lines of all requests.
    """
    with (
        reserve_port(options.port, FUNCTION_URL) as port,
        reserve_port(options.rest_port, REST_API) as rest_port,
        tempfile.TemporaryDirectory(prefix="antiphon-") as folder,
    ):
        async with processes:
            aws, simulator = await _start_servers(options, processes)
            document = options.setup.simulate(simulator or NO_SIMULATOR, options.simulated_models)
            configuration = _write_configuration(document, Path(folder))
            function = options.function("api", aws, configuration)
            pool = RuntimePool(function, processes, options.concurrency, take_line=log.take)
            await pool.start(options.started_runtimes, on_start)
            event_functions = options.event_functions(aws, configuration)
            async with (
                pool,
                map_event_sources(event_functions, aws, processes),
                listen(Endpoint(FUNCTION_URL, pool.invoke, log.add_end), port),
                listen(Endpoint(REST_API, pool.invoke, log.add_end), rest_port),
                serve_feed(log) as feed,
            ):
                urls = base_url(port), base_url(rest_port)
                try:
                    yield Gateway(*urls, aws, simulator, feed, configuration)
                finally:
                    pool.stop()  # while the endpoints still relay what the runtimes end with


async def _start_servers(options: GatewayOptions, processes: Processes) -> tuple[str, str | None]:
    """Start AWS and, where a target has no credential, the simulator, at the same time."""
    env = child_environment(options.env)
    aws = await ServerProcess.start(
        processes, env, "infra.local.aws.server", stdin=options.resources.to_line()
    )
    if not options.setup.simulated:
        return await aws.wait_for_address(), None
    simulator = await ServerProcess.start(
        processes, env, "infra.local.simulator", "--port", "0", "--exit-with-parent"
    )
    return await aws.wait_for_address(), await simulator.wait_for_address()


def _write_configuration(document: Document, folder: Path) -> Path:
    path = folder / "gateway.json"
    path.write_text(json.dumps(document), "utf-8")
    return path
