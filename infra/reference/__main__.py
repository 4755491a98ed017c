"""`python -m infra.reference [--check]`: writes the reference, or prints how it differs."""

import difflib
import sys
from collections.abc import Iterable

import click

from infra.reference.document import PATH, build_text


@click.command()
@click.option("--check", is_flag=True, help="Compare and write nothing; exit 1 on a difference.")
def main(*, check: bool) -> None:
    """Write functions/reference/openapi.json from the models."""
    text = build_text()
    if check:
        current = PATH.read_text("utf-8") if PATH.exists() else ""
        sys.exit(_print_difference(current, text))
    PATH.write_text(text, "utf-8")


def _print_difference(current: str, text: str) -> int:
    lines: Iterable[str] = difflib.unified_diff(
        current.splitlines(),
        text.splitlines(),
        "openapi.json now",
        "openapi.json from the models",
        lineterm="",
    )
    difference = "\n".join(lines)
    if difference:
        click.echo(f"{difference}\nRun `python -m infra.reference` and check the changes.")
    return int(current != text)


if __name__ == "__main__":
    main()
