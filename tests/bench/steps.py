"""`python -m tests.bench.steps`: what each step of a create spends, in the function's own process.

docs/performance/2026-11-29-create.md has one run of it.
"""

import asyncio
import json
from collections.abc import Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

import click
from rich.table import Table

from infra.local.processes import Processes
from infra.project import PROJECT
from tests.bench import function
from tests.bench.ledger import STEPS, WARM_UP
from tests.bench.report import console
from tests.bench.request import EMPTY, WHOLE, Ask
from tests.bench.rig import PLAYERS, _env, _written, player
from tests.bench.task import source


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--calls", default=500, show_default=True, help="So many count.")
@click.option("--stream", is_flag=True, help="Streams without a delta, in place of whole answers.")
def main(*, calls: int, stream: bool) -> None:
    """Measure the CPU time of each step of a create; watching the steps adds some 5 %."""
    spent = asyncio.run(measure(EMPTY if stream else WHOLE, calls))
    table = Table("Step", title="CPU time of a create, median of the calls", title_justify="left")
    table.add_column("µs", justify="right")
    for step, _ in STEPS:
        table.add_row(step, f"{spent.get(step, 0):.0f}")
    table.add_row("all steps", f"{sum(spent.values()):.0f}")
    console().print(table)


async def measure(ask: Ask, calls: int) -> Mapping[str, float]:
    """Return the microseconds of each step."""
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="antiphon-steps-")))
        processes = await stack.enter_async_context(Processes())
        provider = await stack.enter_async_context(player(processes, "provider"))
        aws = await stack.enter_async_context(player(processes, "aws"))
        task, file = source("its steps are watched"), folder / "steps.json"
        env = {
            **_env(task, aws.address, _written(folder / "gateway.json", provider.address)),
            "_HANDLER": f"{PLAYERS}.steps.handler",
            "PYTHONPATH": str(PROJECT),
            "STEPS_FILE": str(file),
        }
        async with function.started(processes, task, env) as ours:
            for _ in range(WARM_UP + calls):
                await ours.ask(ask)
        return json.loads(file.read_text())  # type: ignore[no-any-return]


if __name__ == "__main__":
    main()
