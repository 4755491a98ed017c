"""Output of commands: results on stdout, as text or JSON; all other messages on stderr.

So `KEY=$(antiphon keys create …)` and `antiphon … --json | jq` get the result only.
"""

import json
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime

import click
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

PIPE_WIDTH = 400  # columns, if stdout is not a terminal: cells are not cut off in a pipe


def json_option[**P, R](command: Callable[P, R]) -> Callable[P, R]:
    """Add the option --json to a click command, as the argument `as_json`."""
    add = click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
    return add(command)


def print_json(value: object) -> None:
    click.echo(json.dumps(value, indent=2, ensure_ascii=False))


def print_rows(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print a table on stdout; the cells of the first column are never wrapped."""
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False)
    for column in columns:
        table.add_column(column, no_wrap=column == columns[0], overflow="fold")
    for cells in rows:
        table.add_row(*map(Text, cells))  # Text: a name can contain what looks like markup
    print_table(table)


def print_table(table: Table) -> None:
    """Print a table on stdout."""
    _create_console(stderr=False).print(table)


def print_facts(facts: Iterable[tuple[str, str]], *, stderr: bool = False) -> None:
    """Print a label and a value on each line, without wrapping, so that values can be copied."""
    pairs = [*facts]
    width = max((len(label) for label, _ in pairs), default=0)
    for label, value in pairs:
        line = Text.assemble((f"{label:<{width}}  ", "bold"), value)
        _create_console(stderr=stderr).print(line, soft_wrap=True)


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


def _create_console(*, stderr: bool) -> Console:
    console = Console(stderr=stderr, highlight=False)
    if console.is_terminal:
        return console
    return Console(stderr=stderr, highlight=False, width=PIPE_WIDTH)
