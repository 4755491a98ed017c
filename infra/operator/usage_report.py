"""A report of usage: as JSON, as CSV, or as a table with a chart."""

import csv
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from rich import box
from rich.bar import Bar
from rich.table import Table
from rich.text import Text

from antiphon.store.usage import COST_PICODOLLARS, END_NAMES, ZERO_SUM, UsageSum, sum_total
from infra.traffic.columns import format_count

# What --by can name, and the field of a sum.
DIMENSIONS = {
    "day": "day",
    "tenant": "tenant",
    "model": "model",
    "target": "target",
    "key": "key_id",
}
COLUMNS = {
    "requests": "requests",
    "input": "input_tokens",
    "cached": "cached_tokens",
    "output": "output_tokens",
    "reasoning": "reasoning_tokens",
}
# What the chart shows: the first of these that is not zero.
CHART_SCALES = {COST_PICODOLLARS: "cost", "total_tokens": "tokens", "requests": "requests"}
CHART_WIDTH = 24
MIN_TOTAL_FOR_CENTS = Decimal(10)  # US dollars; smaller totals have six decimal places


@dataclass(frozen=True)
class Layout:
    """What the table has; `is_short`: numbers such as 12k."""

    columns: Sequence[str]
    chart_width: int = 0
    dollars: str = "US dollars"
    is_short: bool = False


MAIN_COLUMNS = ("requests", "input", "output")
LAYOUTS = (  # the widest first
    Layout(tuple(COLUMNS), CHART_WIDTH),
    Layout(tuple(COLUMNS), CHART_WIDTH // 3),
    Layout(tuple(COLUMNS)),
    Layout(MAIN_COLUMNS, CHART_WIDTH // 3),
    Layout(MAIN_COLUMNS),
    Layout(MAIN_COLUMNS, dollars="USD", is_short=True),
)


@dataclass(frozen=True, kw_only=True)
class UsageReport:
    """Sums for each combination of some DIMENSIONS; both days are inclusive."""

    deployment: str
    tenant: str | None  # None means all
    first: str
    last: str
    by: Sequence[str]
    sums: Sequence[UsageSum]

    @property
    def total(self) -> UsageSum:
        return sum_total(self.sums)

    def to_json(self) -> dict[str, Any]:
        return {
            "deployment": self.deployment,
            "tenant": self.tenant,
            "start": self.first,
            "end": self.last,
            "by": [*self.by],
            "data": [self._to_row(sum) for sum in self.sums],
            "total": _counts_to_json(self.total),
        }

    def dimension_values(self, sum: UsageSum) -> dict[str, str]:
        names = [DIMENSIONS[part] for part in self.by]
        return {name: getattr(sum, name) or "" for name in names}

    def write_csv(self) -> None:
        """Write to stdout, with a header, and without a total so that a sheet can add one."""
        names = [*(DIMENSIONS[part] for part in self.by), *_counts_to_json(self.total)]
        writer = csv.DictWriter(sys.stdout, names, lineterminator="\n")
        writer.writeheader()
        writer.writerows(self._to_row(sum) for sum in self.sums)

    def _to_row(self, sum: UsageSum) -> dict[str, Any]:
        return {**self.dimension_values(sum), **_counts_to_json(sum)}


def build_tables(report: UsageReport, key_names: Mapping[str, str | None]) -> list[Table]:
    """Build the table for people in each layout, the widest first.

    `key_names` are the names of keys by their ids.
    """
    return [_build_table(report, key_names, layout) for layout in LAYOUTS]


def _build_table(report: UsageReport, key_names: Mapping[str, str | None], layout: Layout) -> Table:
    scale = next((name for name in CHART_SCALES if report.total.counts[name]), "requests")
    places = 2 if report.total.cost >= MIN_TOTAL_FOR_CENTS else 6
    table = _build_header(report, scale, places, layout)
    rows = _select_rows(report, scale)
    longest = max((row.counts[scale] for row in rows), default=0)
    for row in rows:
        values = report.dimension_values(row).values()
        cells = [Text(add_key_name(value, key_names)) for value in values]
        bar = Bar(longest or 1, 0, row.counts[scale], width=layout.chart_width or 1, color="cyan")
        chart = [bar] if layout.chart_width else []
        table.add_row(*cells, *_format_figures(row, places, layout), *chart)
    return table


def list_remarks(report: UsageReport) -> Iterator[str]:
    """State how the requests ended, and what the figures do not include."""
    counts = report.total.counts
    ends = ", ".join(f"{counts[end]:,} {end}" for end in END_NAMES if counts[end])
    if ends:
        yield f"{ends}, from {report.first} to {report.last} (UTC)."
    if counts["unpriced"]:
        yield (
            f"{counts['unpriced']:,} have no known price and are not in the dollars: set one in "
            "gateway.toml, [prices.MODEL]."
        )
    if counts["unmetered"]:
        yield f"For {counts['unmetered']:,} the provider reported no tokens."


def days_between(first: str, last: str) -> list[str]:
    """List every day from the first to the last, both included."""
    start = date.fromisoformat(first)
    count = (date.fromisoformat(last) - start).days + 1
    return [(start + timedelta(n)).isoformat() for n in range(count)]


def _counts_to_json(sum: UsageSum) -> dict[str, Any]:
    """Return all counts; the cost is exact, as a string."""
    counts = {name: number for name, number in sum.counts.items() if name != COST_PICODOLLARS}
    return {**counts, "cost_usd": sum.dollars}


def _build_header(report: UsageReport, scale: str, places: int, layout: Layout) -> Table:
    table = Table(box=box.SIMPLE, show_edge=False, pad_edge=False, show_footer=True)
    for n, part in enumerate(report.by):
        table.add_column(part, "total" if n == 0 else "", overflow="fold")
    totals = _format_figures(report.total, places, layout)
    for heading, figure in zip((*layout.columns, layout.dollars), totals, strict=True):
        table.add_column(heading, figure, justify="right", no_wrap=True)
    if layout.chart_width:
        table.add_column(CHART_SCALES[scale], min_width=layout.chart_width)
    return table


def _select_rows(report: UsageReport, scale: str) -> Sequence[UsageSum]:
    """Sort by day, then the greatest first; a report by day only includes days without usage."""
    if [*report.by] == ["day"] and report.sums:
        by_day = {sum.day: sum for sum in report.sums}
        days = days_between(str(report.sums[0].day), str(report.sums[-1].day))
        return [by_day.get(day) or replace(ZERO_SUM, day=day) for day in days]
    used = (sum for sum in report.sums if sum.counts["requests"])  # not containers alone
    return sorted(used, key=lambda sum: (sum.day or "", -sum.counts[scale]))


def _format_figures(sum: UsageSum, places: int, layout: Layout) -> list[str]:
    counts = [sum.counts[COLUMNS[name]] for name in layout.columns]
    texts = map(format_count, counts) if layout.is_short else (f"{count:,}" for count in counts)
    return [*texts, f"{sum.cost:,.{places}f}"]


def add_key_name(value: str, key_names: Mapping[str, str | None]) -> str:
    name = key_names.get(value)
    return f"{value} ({name})" if name else value
