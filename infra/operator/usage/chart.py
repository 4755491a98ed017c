"""A report of usage for people: a table with a chart in it, and what the figures leave out."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal

from rich import box
from rich.bar import Bar
from rich.table import Table
from rich.text import Text

from antiphon.store.usage import COST_PICODOLLARS, END_NAMES, ZERO_SUM, UsageSum
from infra.operator.usage.days import between
from infra.operator.usage.report import Report

FIGURES = {
    "requests": "requests",
    "input": "input_tokens",
    "cached": "cached_tokens",
    "output": "output_tokens",
    "reasoning": "reasoning_tokens",
}
SCALES = {
    COST_PICODOLLARS: "cost",
    "total_tokens": "tokens",
    "requests": "requests",
}  # of the chart
WIDTH = 24
CENTS = Decimal(10)  # from how many dollars on a total is told to the cent


def drawn(report: Report, names: Mapping[str, str | None]) -> Table:
    """The table; `names` are those of keys, by their ids."""
    total = report.total
    scale = next((each for each in SCALES if total.counts[each]), "requests")
    rows = _rows(report, scale)
    longest = max((row.counts[scale] for row in rows), default=0)
    made = Table(box=box.SIMPLE, show_edge=False, pad_edge=False, show_footer=True)
    for n, part in enumerate(report.by):
        made.add_column(part, "total" if n == 0 else "", overflow="fold")
    places = 2 if total.cost >= CENTS else 6
    for heading, figure in zip((*FIGURES, "US dollars"), _figures(total, places), strict=True):
        made.add_column(heading, figure, justify="right", no_wrap=True)
    made.add_column(SCALES[scale], min_width=WIDTH)
    for row in rows:
        cells = [Text(_named(text, names)) for text in report.place(row).values()]
        bar = Bar(longest or 1, 0, row.counts[scale], width=WIDTH, color="cyan")
        made.add_row(*cells, *_figures(row, places), bar)
    return made


def remarks(report: Report) -> Iterator[str]:
    """How the requests ended, and what is missing in the figures."""
    counts = report.total.counts
    ends = ", ".join(f"{counts[end]:,} {end}" for end in END_NAMES if counts[end])
    if ends:
        yield f"{ends}, from {report.first} to {report.last} (UTC)."
    if counts["unpriced"]:
        yield (
            f"{counts['unpriced']:,} have no known price and are not in the dollars: name one in "
            "gateway.toml, [prices.MODEL]."
        )
    if counts["unmetered"]:
        yield f"Of {counts['unmetered']:,} the provider has told no tokens."


def _rows(report: Report, scale: str) -> Sequence[UsageSum]:
    """By day, and the greatest first; days without usage are shown where all others are."""
    if [*report.by] == ["day"] and report.sums:
        known = {each.day: each for each in report.sums}
        ends = (str(report.sums[0].day), str(report.sums[-1].day))
        return [known.get(day) or replace(ZERO_SUM, day=day) for day in between(*ends)]
    return sorted(report.sums, key=lambda each: (each.day or "", -each.counts[scale]))


def _figures(sum: UsageSum, places: int) -> list[str]:
    return [*(f"{sum.counts[name]:,}" for name in FIGURES.values()), f"{sum.cost:,.{places}f}"]


def _named(text: str, names: Mapping[str, str | None]) -> str:
    name = names.get(text)
    return f"{text} ({name})" if name else text
