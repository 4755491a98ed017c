"""`python -m infra.pages [--check]`: writes the generated parts of `docs/`, or names stale ones."""

import sys

import click

from infra.pages.sections import PAGES, Page


@click.command()
@click.option("--check", is_flag=True, help="Write nothing; exit 1 if a page is not current.")
def main(*, check: bool) -> None:
    """Write the parts of docs/ that come from the code."""
    stale = [page for page in PAGES if not page.is_current()]
    if check:
        sys.exit(_report(stale))
    for page in stale:
        page.write()


def _report(stale: list[Page]) -> int:
    for page in stale:
        click.echo(f"{page.path} is not current: run `python -m infra.pages`.")
    return int(bool(stale))


if __name__ == "__main__":
    main()
