"""Output of commands: results on stdout, as text or JSON; all other messages on stderr.

So `KEY=$(antiphon keys create …)` and `antiphon … --json | jq` get the result only.
"""

import json
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime

import click
from rich import box
from rich.console import Console
from rich.measure import Measurement
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

TABLE_WIDTH = 100  # columns, from which a table may wrap its cells
PIPE_WIDTH = 400  # columns, if stdout is not a terminal: cells are not cut off in a pipe


def json_option[**P, R](command: Callable[P, R]) -> Callable[P, R]:
    """Add the option --json to a click command, as the argument `as_json`."""
    add = click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
    return add(command)


def print_json(value: object) -> None:
    click.echo(json.dumps(value, indent=2, ensure_ascii=False))


def print_rows(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print a table on stdout; the cells of the first column are never wrapped."""
    print_table(_create_table(columns, rows))


def _create_table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False)
    for column in columns:
        table.add_column(column, no_wrap=column == columns[0], overflow="fold")
    for cells in rows:
        table.add_row(*map(Text, cells))  # Text: a name can contain what looks like markup
    return table


def print_table(table: Table, *narrower: Table) -> None:
    """Print the first of the tables that fits on stdout, or the last one."""
    console = create_console()
    *first, last = table, *narrower
    console.print(next((each for each in first if _fits(each, console)), last))


def print_rows_or_blocks(
    columns: Sequence[str], rows: Sequence[Sequence[str]], heading: Sequence[str]
) -> None:
    """Print a table on stdout; on a narrow terminal that it does not fit, a block for each row.

    The first line of a block has the cells of the columns that `heading` names.
    """
    console, table = create_console(), _create_table(columns, rows)
    if console.width >= TABLE_WIDTH or _fits(table, console):
        console.print(table)
        return
    others = [column for column in columns if column not in heading]
    width = max(map(len, others))
    for number, row in enumerate(rows):
        cells = dict(zip(columns, row, strict=True))
        if number:
            console.print()
        console.print(Text("  ".join(cells[name] for name in heading), "bold"))
        for name in others:
            if cells[name]:
                console.print(Padding(_labelled(name, width, cells[name]), (0, 0, 0, 2)))


def _labelled(label: str, width: int, text: str) -> Table:
    """Return a label beside a text that may take several lines."""
    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(width=width)
    grid.add_column(overflow="fold")
    grid.add_row(Text(label, "dim"), Text(text))
    return grid


def _fits(table: Table, console: Console) -> bool:
    """Whether no cell of the table must be wrapped or cut off."""
    unlimited = console.options.update(width=PIPE_WIDTH)
    return Measurement.get(console, unlimited, table).maximum <= console.width


def print_facts(facts: Iterable[tuple[str, str]], *, stderr: bool = False) -> None:
    """Print a label and a value on each line, without wrapping, so that values can be copied."""
    pairs = [*facts]
    width = max((len(label) for label, _ in pairs), default=0)
    for label, value in pairs:
        line = Text.assemble((f"{label:<{width}}  ", "bold"), value)
        create_console(stderr=stderr).print(line, soft_wrap=True)


def print_message(message: str) -> None:
    click.echo(message, err=True)


def format_time(seconds: int | None) -> str:
    """Format epoch seconds in UTC; None gives an empty string."""
    if seconds is None:
        return ""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M UTC")


def format_day(seconds: int | None) -> str:
    """Format epoch seconds as a day in UTC; None gives an empty string."""
    return format_time(seconds)[:10]


def create_console(*, stderr: bool = False) -> Console:
    """Return a console; in a pipe it is so wide that nothing is cut off."""
    console = Console(stderr=stderr, highlight=False)
    if console.is_terminal:
        return console
    return Console(stderr=stderr, highlight=False, width=PIPE_WIDTH)
