"""`python -m infra.reference [--check]`: writes the reference, or tells how it has drifted."""

import difflib
import sys
from collections.abc import Iterable

import click

from infra.reference.document import PLACE, written


@click.command()
@click.option("--check", is_flag=True, help="Compare and write nothing; exit 1 on a difference.")
def main(*, check: bool) -> None:
    """Keep functions/reference/openapi.json equal to what the models say."""
    text = written()
    if check:
        kept = PLACE.read_text("utf-8") if PLACE.exists() else ""
        sys.exit(_told(kept, text))
    PLACE.write_text(text, "utf-8")


def _told(kept: str, text: str) -> int:
    lines: Iterable[str] = difflib.unified_diff(
        kept.splitlines(),
        text.splitlines(),
        "openapi.json as it is",
        "as it should be",
        lineterm="",
    )
    difference = "\n".join(lines)
    if difference:
        click.echo(f"{difference}\nRun `python -m infra.reference` and look at what it changed.")
    return int(kept != text)


if __name__ == "__main__":
    main()
