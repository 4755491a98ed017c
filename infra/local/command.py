"""The command `antiphon local`: its options, its help, and its exit codes."""

import os
import sys
from pathlib import Path
from typing import Any, NoReturn

import click
from rich.console import Console

from antiphon.settings.config import ConfigError
from infra.local.http.endpoint import PortInUse
from infra.local.keep import KeepFailed, keep_keys, use_folder
from infra.local.options import KEYS_VARIABLE, GatewayOptions, InvalidKeys, parse_keys
from infra.local.processes import ServerFailed
from infra.local.request_printer import Format
from infra.local.runtime_api.invocation import InitFailed
from infra.local.simulator.hosted_tools import ABOUT_TOOLS
from infra.local.simulator.resource_scenarios import RESOURCE_SCENARIOS
from infra.local.simulator.scenarios import SCENARIOS
from infra.local.supervisor import Output, supervise
from infra.local.target_setup import read_target_setup
from infra.project import find_local_config

MAX_PORT = 65_535
MAX_CONCURRENCY = 512
PORT = click.IntRange(0, MAX_PORT)
FILE = click.Path(dir_okay=False, path_type=Path)
ENVIRONMENT = {
    KEYS_VARIABLE: (
        "tenant=key,tenant=key: the accepted keys, each of 8 to 128 characters A-Z a-z 0-9 _ -. "
        "Without it, one random key for tenant local."
    ),
    "ANTIPHON_SECRET_<TARGET>": (
        "A target's credential, for example ANTIPHON_SECRET_AZURE_EAST for target azure-east."
    ),
    "ANTIPHON_WEBHOOK_SECRET_<TARGET>": (
        "The secret with which the provider of a target with receives_webhooks signs them: whsec_…"
    ),
    "OPENAI_API_KEY": "The credential of openai targets without their own variable.",
    "AZURE_OPENAI_API_KEY": "The same for azure targets.",
    "OPENAI_BASE_URL": "The address of openai targets without one in the configuration.",
    "AZURE_OPENAI_ENDPOINT": "The same for azure targets.",
    "POWERTOOLS_LOG_LEVEL": "DEBUG, INFO (the default), WARNING or ERROR.",
}


class Local(click.Command):
    """Its help ends with the environment variables, and with what the simulator can do."""

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Environment variables"):
            formatter.write_dl(list(ENVIRONMENT.items()))
        with formatter.section("Models of the simulator"):
            formatter.write_dl([(model, scenario.about) for model, scenario in SCENARIOS.items()])
        with formatter.section("Tools of the simulator"):
            formatter.write_dl(list(ABOUT_TOOLS.items()))
        with formatter.section("Names of files, stores and containers of the simulator"):
            formatter.write_dl([(name, each.about) for name, each in RESOURCE_SCENARIOS.items()])
        super().format_epilog(ctx, formatter)


@click.command(cls=Local)
@click.option(
    "--port", type=PORT, default=8080, show_default=True, help="Function URL; 0: any free port."
)
@click.option(
    "--rest-port",
    type=PORT,
    help="API Gateway; 0: any free port.  [default: the port after --port]",
)
@click.option(
    "--concurrency",
    type=click.IntRange(1, MAX_CONCURRENCY),
    default=8,
    show_default=True,
    help="Requests processed at the same time, one by each runtime process; others wait.",
)
@click.option(
    "--provisioned",
    type=click.IntRange(1, MAX_CONCURRENCY),
    help="Runtime processes that start before the gateway serves; the others start when requests "
    "need them.  [default: all]",
)
@click.option(
    "--timeout",
    "seconds",
    type=click.FloatRange(0, 900, min_open=True),
    default=900,
    show_default=True,
    help="Seconds after which an invocation is ended, as Lambda does.",
)
@click.option(
    "--config",
    type=FILE,
    default=find_local_config,
    help="The gateway's configuration.  [default: gateway.toml of the project, or of this folder "
    "if antiphon is installed]",
)
@click.option(
    "--ready-file",
    type=FILE,
    help="Written when the gateway is ready: JSON with url and rest (base URLs), aws_endpoint, "
    "table, keys (a list of tenant and key), and simulator (its address or null).",
)
@click.option(
    "--keep",
    type=click.Path(file_okay=False, path_type=Path),
    help="A folder that keeps the table, the keys and the queue until the next start with it.  "
    "[default: none]",
)
@click.option("--json", "requests", flag_value="json", help="Print each request as JSON.")
@click.option("--quiet", "requests", flag_value="none", help="Print no requests.")
def local(
    config: Path,
    ready_file: Path | None,
    port: int,
    rest_port: int | None,
    requests: Format | None,
    **more: Any,
) -> None:
    """Run the gateway on this machine.

    The functions run in real runtime processes, behind a Function URL on one port and an API
    Gateway on another; DynamoDB and Secrets Manager are an embedded moto server. A target
    without a credential is simulated, which needs no account and costs nothing.

    Each request is a line on stderr, with the messages of errors if that is a terminal. With --json
    it is an object on stdout, which then has nothing else.
    """
    ports: dict[str, Any] = {
        "port": port,
        "rest_port": next_port(port) if rest_port is None else rest_port,
    }
    try:
        with use_folder(more["keep"]):
            options = _create_options(config, **ports, **more)
            serve(options, ready_file, requests or "lines")
    except (ConfigError, InvalidKeys, KeepFailed) as exc:
        _fail(exc, 2)


def _create_options(config: Path, *, keep: Path | None, **numbers: Any) -> GatewayOptions:
    """Raise ConfigError, InvalidKeys or KeepFailed."""
    keys = os.environ.get(KEYS_VARIABLE, "").strip()
    accepted = keep_keys(keep, parse_keys) if keep and not keys else parse_keys(keys)
    setup = read_target_setup(config, os.environ)
    return GatewayOptions(accepted, setup, list(SCENARIOS), os.environ, keep=keep, **numbers)


def next_port(port: int) -> int:
    """Return the port of the other endpoint, which moves along; 0, any free one, stays 0."""
    return 0 if port == 0 else port + 1 if port < MAX_PORT else port - 1


def serve(options: GatewayOptions, ready_file: Path | None, requests: Format = "lines") -> None:
    """Run until a signal; exit with 1 if the gateway cannot start."""
    console = Console(stderr=requests == "json")
    try:
        supervise(options, Output(console, ready_file, requests))
    except InitFailed as exc:
        _fail(f"The function did not start. {exc}", 1)
    except (PortInUse, ServerFailed, OSError) as exc:
        _fail(exc, 1)


def _fail(reason: object, code: int) -> NoReturn:
    click.echo(reason, err=True)
    sys.exit(code)
