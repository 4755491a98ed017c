"""`antiphon top`: what passes through a deployment now."""

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.live import Live

from antiphon.store.circuits import CIRCUITS_KEY
from antiphon.store.keyring import Keyring
from antiphon.store.keys import ApiKey
from infra.operator.deployment import Deployment, with_deployment
from infra.operator.key_limits import LimitLine, limit_report
from infra.operator.output import create_console, print_message
from infra.operator.param_types import DurationType
from infra.traffic.assembler import RequestAssembler
from infra.traffic.columns import format_count
from infra.traffic.picture import Picture
from infra.traffic.sources import LineSource, SourceEnded
from infra.traffic.summary import KeyUse, TrafficWindow
from infra.traffic.tail import AddCost, find_costs

LONGEST_SECONDS = 900  # of a request; so far back its first line is looked for
MAX_KEYS = 8
UNTIL = "until_"  # the attribute of a circuit, before the target's name
EXAMPLES = """\b
Examples:
  antiphon top --local
  antiphon top --window 15m --interval 10
  antiphon top --once
"""


@click.command(epilog=EXAMPLES)
@click.option(
    "--window",
    type=DurationType(),
    default="5m",
    show_default=True,
    help="The time that the numbers are of: 1m, 15m, 1h.",
)
@click.option(
    "--interval",
    type=click.FloatRange(min=0.5),
    default=5.0,
    show_default=True,
    help="Seconds between two pictures.",
)
@click.option("--once", is_flag=True, help="Print one picture, and end; so it does in a pipe.")
@click.option(
    "--config",
    type=click.Path(dir_okay=False, exists=True, path_type=Path),
    help="The gateway.toml with the prices of the stack.  [default: the one of the project]",
)
@with_deployment
def top(
    deployment: Deployment, /, *, window: int, interval: float, once: bool, config: Path | None
) -> None:
    """Display the traffic of a stack, or with --local of the gateway on this machine.

    Requests, errors, streams in flight, tokens and cost come from the lines of the API function's
    log; open circuits, and what is used of the limits of the busiest keys, from single rows of the
    table. Ctrl-C ends it.
    """
    console, add_cost = create_console(), find_costs(config or deployment.configuration)
    follow = console.is_terminal and not once
    since = time.time() - max(window, LONGEST_SECONDS)
    try:
        with closing(deployment.open_requests(since, follow)) as source:
            view = Top(deployment, source, add_cost, window)
            _show(view, console, (lambda: time.sleep(interval)) if follow else None)
    except KeyboardInterrupt:  # the usual end
        return
    except SourceEnded:
        print_message("The gateway has ended.")


def _show(view: "Top", console: Console, wait: Callable[[], object] | None) -> None:
    """Display one picture after another until `wait` raises; without it, one."""
    if wait is None:
        console.print(view.read().render(console.width))
        return
    with Live(console=console, auto_refresh=False) as live:
        while True:
            live.update(view.read().render(console.width), refresh=True)
            wait()


class Top:
    """Reads what there is to display."""

    def __init__(
        self, deployment: Deployment, source: LineSource, add_cost: AddCost, seconds: float
    ) -> None:
        self._deployment = deployment
        self._source = source
        self._add_cost = add_cost
        self._assembler = RequestAssembler(needs_reply=source.needs_reply)
        self._window = TrafficWindow(seconds)
        self._keys: dict[str, ApiKey] = {}

    def read(self) -> Picture:
        records = filter(None, map(self._assembler.add, self._source.read()))
        self._window.add(map(self._add_cost, records))
        now = time.time()
        summary = self._window.summarise(now, self._count_streams())
        busiest = summary.keys[:MAX_KEYS]
        circuits, limits = self._read_circuits(now), self._read_limits(busiest)
        return Picture(self._deployment.name, now, summary, circuits, busiest, limits)

    def _count_streams(self) -> int:
        """Count streams; one whose end was never logged cannot run for longer than a function."""
        return len(self._assembler.streams_since(time.time() - LONGEST_SECONDS))

    def _read_circuits(self, now: float) -> dict[str, float]:
        row: Mapping[str, Any] = self._deployment.table.get(*CIRCUITS_KEY) or {}
        ends = {
            name.removeprefix(UNTIL).replace("_", "-"): value / 1000 - now
            for name, value in row.items()
            if name.startswith(UNTIL)
        }
        return {target: seconds for target, seconds in ends.items() if seconds > 0}

    def _read_limits(self, uses: Sequence[KeyUse]) -> dict[str, str]:
        """Return the limit of each key that is used most, or that of its tenant."""
        ids = [use.key_id for use in uses if use.key_id]
        if any(id not in self._keys for id in ids):
            self._keys = {key.id: key for key in Keyring(self._deployment.table).list_keys(None)}
        found = {
            id: limit_report(self._keys[id], self._deployment) for id in ids if id in self._keys
        }
        return {id: text for id, lines in found.items() if (text := _most_used(lines))}


@dataclass(frozen=True)
class _Share:
    share: float
    text: str


def _most_used(lines: Sequence[LimitLine] | None) -> str:
    shares = [_share(line) for line in lines or () if line.use is not None and line.value]
    return max(shares, key=lambda each: each.share).text if shares else ""


def _share(line: LimitLine) -> _Share:
    used, maximum = float(line.use.used if line.use else 0), float(line.value)
    name = line.name.replace("_", "-")
    return _Share(used / maximum, f"{name} {used / maximum:.0%} of {format_count(maximum)}")
