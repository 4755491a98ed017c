"""`python -m tests.bench`, which is `make bench`: what the gateway costs, beside its peers."""

import asyncio
import json
import signal
import sys
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from infra.local.processes import ServerFailed
from infra.local.runtime_api.invocation import InitFailed
from tests.bench import measurements
from tests.bench.bars import bars
from tests.bench.contestants import Broken
from tests.bench.machine import machine
from tests.bench.measurements import BenchOptions
from tests.bench.report import console, show
from tests.bench.scale import FULL, QUICK

FAILURES = (Broken, InitFailed, ServerFailed, OSError)  # a time-out is an OSError, too
NAMES = tuple(measurements.MEASUREMENTS)


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--json",
    "file",
    type=click.Path(dir_okay=False, writable=True, path_type=Path),
    help="Also write all figures here, for programs.",
)
@click.option("--quick", is_flag=True, help="Less than a minute; figures are rougher.")
@click.option(
    "--only",
    "names",
    type=click.Choice(NAMES),
    multiple=True,
    help="Measure this alone; may be given more than once.",
)
@click.option(
    "--streams",
    type=click.IntRange(1, 500),
    metavar="N",
    help="Also send N streams at once through antiphon local: takes a minute for 100, and 80 MB "
    "of memory for each.",
)
@click.option(
    "--peers",
    is_flag=True,
    help="Also measure LiteLLM, Portkey's gateway and nginx, which are installed below .build; "
    "with --streams those of them that stream.",
)
@click.option(
    "--growth",
    is_flag=True,
    help="Also measure what a request costs as links, turns, targets, limited requests and streams "
    "become more: some minutes.",
)
@click.option(
    "--from-source", is_flag=True, help="Run the functions' source, not the asset made of it."
)
@click.option("--strict", is_flag=True, help="End with 1 where a bar does not hold.")
def main(*, file: Path | None, quick: bool, strict: bool, **options: Any) -> None:
    """Measure what the gateway adds, beside other proxies, in one run on this machine.

    Everybody asks the same fake provider in turn: the client itself, the least proxy that Python
    can be, a naive one, and the functions in the process that Lambda would run. Nothing leaves the
    machine, and no account is needed.
    """
    if file and not file.parent.is_dir():
        raise click.BadParameter(f"There is no folder {file.parent}.", param_hint="--json")
    here = machine()
    names = options.pop("names") or (() if options["streams"] else NAMES)
    found = _measured(BenchOptions(names, QUICK if quick else FULL, **options))
    judged = bars(found)
    document = {
        "machine": here,
        "scale": "quick" if quick else "full",
        "results": found,
        "bars": [bar.document() for bar in judged],
    }
    if file:
        file.write_text(json.dumps(document, indent=2) + "\n", "utf-8")
    show(console(), document, judged)
    sys.exit(strict and any(bar.holds is False for bar in judged))


def _measured(options: BenchOptions) -> dict[str, Any]:
    with Console(stderr=True).status("Starting …", refresh_per_second=2) as status:
        run = measurements.run(options, status.update)
        try:
            return asyncio.run(_until_signalled(run))
        except asyncio.CancelledError as exc:
            raise click.Abort from exc
        except FAILURES as exc:
            raise click.ClickException(f"Nothing was measured. {exc!r}") from exc


async def _until_signalled[T](run: Coroutine[Any, Any, T]) -> T:
    """SIGTERM ends it as Ctrl-C does: in order, and with it all that was started."""
    task = asyncio.create_task(run)
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    return await task


if __name__ == "__main__":
    main()
