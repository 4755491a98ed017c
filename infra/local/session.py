"""`antiphon local` from its start to its end: what is needed, in the order it is needed."""

import json
import tempfile
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from antiphon.settings import config
from antiphon.settings.config import Config
from infra.local.aws.event_source_mapping import EVENT_SOURCES, map_event_sources
from infra.local.aws.resources import Resources
from infra.local.cast import Cast, Document, cast
from infra.local.http.endpoint import (
    FUNCTION_URL,
    REST_API,
    Endpoint,
    base_url,
    listen,
    reserve_port,
)
from infra.local.keys import LocalKey
from infra.local.processes import ROOT, Processes, ServerProcess
from infra.local.runtime_api.function import Function, child_environment, function_environment
from infra.local.runtime_api.runtimes import RuntimePool

FED_SECONDS = 120.0  # that a function behind the queue or the stream may take
NOWHERE = "http://127.0.0.1"  # stands for the simulator while there is none yet


@dataclass(frozen=True)
class Plan:
    """What was asked for, checked as far as it can be without starting anything."""

    keys: list[LocalKey]
    cast: Cast
    scenarios: list[str]  # models that the simulator plays
    env: Mapping[str, str]
    port: int = 8080
    rest_port: int = 8081
    concurrency: int = 8
    seconds: float = 900
    functions: Path = ROOT / "functions"

    @property
    def config(self) -> Config:
        """The configuration in effect, but for the simulator's address."""
        return config.parse_config(self.cast.played(NOWHERE, self.scenarios))

    @property
    def resources(self) -> Resources:
        return Resources([(local.key, local.tenant) for local in self.keys], self.cast.secrets())

    def function(self, name: str, endpoint: str, configuration: Path) -> Function:
        env = function_environment(self.functions, endpoint, configuration, self.env, name)
        wrapper = ROOT / "functions" / "start-streaming"
        return Function(wrapper, self.functions, env, self.seconds)

    def fed(self, endpoint: str, configuration: Path) -> dict[str, Function]:
        """The functions behind the queue and the stream, as far as they are there."""
        there = [name for name in EVENT_SOURCES if (self.functions / f"{name}.py").exists()]
        made = {name: self.function(name, endpoint, configuration) for name in there}
        return {name: replace(function, seconds=FED_SECONDS) for name, function in made.items()}


@dataclass(frozen=True)
class Gateway:
    """A gateway that serves."""

    url: str
    rest: str
    aws: str
    simulator: str | None


def casting(path: Path, env: Mapping[str, str]) -> Cast:
    """Read gateway.toml and find its players; raise ConfigError if it is wrong."""
    found = cast(config.read_config(path), env)
    config.parse_config(found.placed(NOWHERE), path.name)
    return found


@asynccontextmanager
async def serving(
    plan: Plan, processes: Processes, started: Callable[[], None]
) -> AsyncIterator[Gateway]:
    """Start it all; `started` is called for each runtime that is up."""
    with (
        reserve_port(plan.port) as port,
        reserve_port(plan.rest_port) as rest_port,
        tempfile.TemporaryDirectory(prefix="antiphon-") as folder,
    ):
        async with processes:
            aws, simulator = await _surroundings(plan, processes)
            document = plan.cast.played(simulator or NOWHERE, plan.scenarios)
            configuration = _written(document, Path(folder))
            pool = RuntimePool(plan.function("api", aws, configuration), processes)
            await pool.start(plan.concurrency, started)
            async with (
                map_event_sources(plan.fed(aws, configuration), aws, processes),
                listen(Endpoint(FUNCTION_URL, pool.invoke), port),
                listen(Endpoint(REST_API, pool.invoke), rest_port),
            ):
                yield Gateway(base_url(port), base_url(rest_port), aws, simulator)


async def _surroundings(plan: Plan, processes: Processes) -> tuple[str, str | None]:
    """AWS and, where a target has no credential, a provider: they start side by side."""
    env = child_environment(plan.env)
    aws = await ServerProcess.start(
        processes, env, "infra.local.aws.server", stdin=plan.resources.to_line()
    )
    if not plan.cast.simulated:
        return await aws.wait_for_address(), None
    simulator = await ServerProcess.start(
        processes, env, "infra.local.simulator", "--port", "0", "--exit-with-parent"
    )
    return await aws.wait_for_address(), await simulator.wait_for_address()


def _written(document: Document, folder: Path) -> Path:
    path = folder / "gateway.json"
    path.write_text(json.dumps(document), "utf-8")
    return path
