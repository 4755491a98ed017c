"""What commands print: results on stdout, as text or JSON; what is said beside, on stderr.

So that `KEY=$(antiphon keys create …)` and `antiphon … --json | jq` get the result and no more.
"""

import json
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime

import click
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

WIDE = 400  # columns, where no terminal says how many there are: nothing is cut off in a pipe


def json_option[**P, R](command: Callable[P, R]) -> Callable[P, R]:
    """Give a click command the argument `as_json`."""
    add = click.option("--json", "as_json", is_flag=True, help="One JSON document, for machines.")
    return add(command)


def document(value: object) -> None:
    click.echo(json.dumps(value, indent=2, ensure_ascii=False))


def table(
    columns: Sequence[str], rows: Iterable[Sequence[str]], *, right: Iterable[str] = ()
) -> None:
    """Print rows on stdout, each named by its first cell; columns in `right` hold numbers."""
    made = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False)
    for column in columns:
        made.add_column(
            column,
            justify="right" if column in right else "left",
            no_wrap=column == columns[0],  # to be copied
            overflow="fold",
        )
    for cells in rows:
        made.add_row(*map(Text, cells))  # as they are: a name may hold what looks like markup
    show(made)


def show(made: Table) -> None:
    """Print a table on stdout."""
    _console(stderr=False).print(made)


def facts(pairs: Iterable[tuple[str, str]], *, stderr: bool = False) -> None:
    """Print a label and a value on each line; not wrapped, for they are copied."""
    told = [*pairs]
    width = max((len(label) for label, _ in told), default=0)
    for label, value in told:
        line = Text.assemble((f"{label:<{width}}  ", "bold"), value)
        _console(stderr=stderr).print(line, soft_wrap=True)


def say(message: str) -> None:
    click.echo(message, err=True)


def when(seconds: int | None) -> str:
    """A moment, given as epoch seconds."""
    if seconds is None:
        return ""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M UTC")


def _console(*, stderr: bool) -> Console:
    console = Console(stderr=stderr, highlight=False)
    return console if console.is_terminal else Console(stderr=stderr, highlight=False, width=WIDE)
