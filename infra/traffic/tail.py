"""`antiphon tail`: prints the requests of a deployment as they come."""

import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from antiphon.settings.config import ConfigError, parse_config, read_config
from infra.operator.deployment import Deployment, with_deployment
from infra.operator.output import print_message
from infra.operator.param_types import DurationType
from infra.traffic.assembler import RequestAssembler
from infra.traffic.cost import RequestCosts
from infra.traffic.filters import RequestFilter, filter_options
from infra.traffic.printing import Print, line_printer, print_json_line
from infra.traffic.record import RequestRecord
from infra.traffic.sources import LineSource, SourceEnded

EXAMPLES = """\b
Examples:
  antiphon tail --since 1h --errors
  antiphon tail --local --tenant acme --status 429
  antiphon tail --no-follow --since 1d --json | jq .cost_usd
"""

type AddCost = Callable[[RequestRecord], RequestRecord]


@click.command(epilog=EXAMPLES)
@filter_options
@click.option(
    "--since",
    type=DurationType(),
    default="10m",
    show_default=True,
    help="How far back to begin: 30s, 10m, 2h, 1d.",
)
@click.option(
    "--follow/--no-follow",
    default=True,
    show_default=True,
    help="Whether to wait for further requests; Ctrl-C ends it.",
)
@click.option("--json", "as_json", is_flag=True, help="Print each request as a JSON object.")
@click.option(
    "--config",
    type=click.Path(dir_okay=False, exists=True, path_type=Path),
    help="The gateway.toml with the prices of the stack.  [default: the one of the project]",
)
@with_deployment
def tail(
    deployment: Deployment,
    /,
    *,
    wanted: RequestFilter,
    since: int,
    follow: bool,
    **output: Any,
) -> None:
    """Print the requests of a stack, or with --local of the gateway on this machine.

    Each request is one line, when it has ended: time, status, tenant and key, model, target, time
    to the first event, time to the end, tokens, and cost; or why it is an error. They are read from
    the log of the API function; only the gateway on this machine has the messages of errors.
    """
    printer = _create_tail(deployment, wanted, **output)
    try:
        with closing(deployment.open_requests(time.time() - since, follow)) as source:
            printer.run(source, time.sleep if follow else None)
    except KeyboardInterrupt:  # the usual end
        return
    except SourceEnded:
        print_message("The gateway has ended.")


def _create_tail(
    deployment: Deployment, wanted: RequestFilter, *, as_json: bool, config: Path | None
) -> "Tail":
    add_cost = find_costs(config or deployment.configuration)
    return Tail(wanted, add_cost, print_json_line if as_json else line_printer(Console()))


class Tail:
    """Prints the requests that match, with their costs."""

    def __init__(self, wanted: RequestFilter, add_cost: AddCost, print_record: Print) -> None:
        self._wanted = wanted
        self._add_cost = add_cost
        self._print = print_record

    def run(self, source: LineSource, wait: Callable[[float], object] | None) -> None:
        """Print until `wait` raises; without it, what is there now."""
        assembler = RequestAssembler(needs_reply=source.needs_reply)
        while True:
            for record in filter(None, map(assembler.add, source.read())):
                if self._wanted.matches(record):
                    self._print(self._add_cost(record))
            if wait is None:
                return
            wait(source.pause_seconds)


def find_costs(config: Path | None) -> AddCost:
    """Return what adds costs; without a configuration that can be read nothing is added."""
    if config is None:
        return lambda record: record
    try:
        return RequestCosts(parse_config(read_config(config), config.name)).add_to
    except ConfigError as exc:
        print_message(f"No costs are printed. {exc}")
        return lambda record: record
