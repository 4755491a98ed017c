"""`make charts ARGS="docs/performance/FILE.json"`: a page of tables and charts of one run.

It runs in an environment with matplotlib alone, so it reads nothing but the file.
"""

import json
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PAGE = Path("docs") / "performance.md"
INCHES, DOTS_PER_INCH = (7, 3.2), 110
OURS, COLOR, OTHERS = "ours", "#0b7285", "#adb5bd"
WITHOUT = {"direct", "ours without table", "ours with moto", "ours, restored"}  # of the charts

CURVES = {
    "links": "Links that the tenant has already",
    "turns": "Turns of a chain of previous_response_id",
    "targets": "Targets that serve the model",
    "limited": "Limited requests of the same key in flight",
}
# The columns of a curve, and their digits behind the point.
COLUMNS = {"number": 0, "cpu_ms": 2, "aws_calls": 0, "aws_bytes": 0, "ms": 2}

HEADROOM = 1.2  # above a curve's highest point

type Row = Mapping[str, Any]
type Drawn = list[tuple[Chart, dict[str, float]]]


@dataclass(frozen=True)
class Chart:
    """One figure of each contestant; `path` leads to it from the contestant's row."""

    name: str  # of the file
    title: str
    unit: str
    table: tuple[str, ...]  # where the rows are in the results
    path: tuple[str, ...]


CHARTS = (
    Chart(
        "not-streamed",
        "Added to an answer that is not streamed, median",
        "ms",
        ("latency", "not_streamed"),
        ("added_ms", "p50"),
    ),
    Chart(
        "first-event",
        "Added to the first event of a stream, median",
        "ms",
        ("latency", "first_event"),
        ("added_ms", "p50"),
    ),
    Chart(
        "call-cpu",
        "Processor time of a call that is not streamed",
        "ms",
        ("latency", "not_streamed"),
        ("cpu_ms",),
    ),
    Chart("event-cpu", "Processor time of a paced event", "µs", ("paced",), ("cpu_us_per_event",)),
    Chart("start", "Process start to first answer, median", "ms", ("start",), ("ms", "p50")),
    Chart("memory", "Resident memory after 20 calls", "MB", ("start",), ("rss_mb",)),
)


def main() -> None:
    source = Path(sys.argv[1])
    document = json.loads(source.read_text("utf-8"))
    drawn = [(chart, figures) for chart in CHARTS if (figures := read(document, chart))]
    for chart, figures in drawn:
        draw(chart, figures, source.with_name(f"{source.stem}-{chart.name}.png"))
    for name, points in document["results"].get("growth", {}).items():
        draw_curve(name, points, source.with_name(f"{source.stem}-growth-{name}.png"))
    PAGE.write_text("\n".join(write_page(document, source, drawn)) + "\n", "utf-8")


def read(document: Mapping[str, Any], chart: Chart) -> dict[str, float]:
    """The figures by contestant, the smallest first; empty where it was not measured."""
    found = {
        name: _at(row, chart.path) for name, row in _at(document["results"], chart.table).items()
    }
    known = {name: value for name, value in found.items() if isinstance(value, int | float)}
    return dict(sorted(known.items(), key=lambda item: item[1]))


def write_page(document: Mapping[str, Any], source: Path, drawn: Drawn) -> Iterator[str]:
    here = document["machine"]
    yield f"# One run of the bench\n\n<!-- Written by `make charts`, from {source.name}. -->\n"
    yield (
        f"Measured on {here['measured_at'][:10]}, on {here['processors']} x {here['processor']} with "
        f"Python {here['python']}, at a load of {here['load'][0]:g} before the run. All figures are in "
        f"`{source.name}`; [what they mean](benchmarks.md) and how to measure them yourself."
    )
    for name, why in document["results"].get("left_out", {}).items():
        yield f"\nWithout {name}: {' '.join(why.split())}"
    for chart, figures in drawn:
        yield f"\n## {chart.title}\n\n| | {chart.unit} |\n|---|--:|"
        yield from (f"| {name} | {value:.3g} |" for name, value in figures.items())
        yield f"\n![{chart.title}](performance/{source.stem}-{chart.name}.png)"
    for name, points in document["results"].get("growth", {}).items():
        yield from _growth(name, points, source.stem)
    if points := document["results"].get("crowds"):
        yield from _crowds(points)
    yield "\n## Bars\n\n| | value | bar | of | holds |\n|---|--:|--:|---|---|"
    yield from map(_bar, document["bars"])


def _growth(name: str, points: list[Row], stem: str) -> Iterator[str]:
    yield f"\n## {CURVES[name]}\n"
    yield "| number | CPU of a call, ms | calls to AWS | their bytes | p50 with the embedded AWS, ms |"
    yield "|--:|--:|--:|--:|--:|"
    for point in points:
        cells = (f"{point[column] or 0:,.{digits}f}" for column, digits in COLUMNS.items())
        yield f"| {' | '.join(cells)} |"
    yield f"\n![{CURVES[name]}](performance/{stem}-growth-{name}.png)"


def _crowds(points: list[Row]) -> Iterator[str]:
    yield "\n## Streams at once through antiphon local\n"
    yield "| streams | failed | lag of an event p50, ms | p99, ms | whole stream p99, ms |"
    yield "|--:|--:|--:|--:|--:|"
    for point in points:
        lag, total = point["lag_ms"], point["total_ms"]
        times = f"{lag['p50']:,.1f} | {lag['p99']:,.1f} | {total['p99']:,.0f}"
        yield f"| {point['streams']} | {point['failed']} | {times} |"


def draw_curve(name: str, points: list[Row], target: Path) -> None:
    """Processor time and bytes sent to AWS, each from 0 on, so that what is flat looks flat."""
    from matplotlib.figure import Figure  # noqa: PLC0415  tests of the page run without it

    figure = Figure(figsize=INCHES, layout="constrained")
    for axes, column, unit in zip(
        figure.subplots(1, 2),
        ("cpu_ms", "aws_bytes"),
        ("CPU of a call, ms", "bytes to AWS"),
        strict=True,
    ):
        axes.plot([p["number"] for p in points], [p[column] for p in points], "o-", color=COLOR)
        axes.set_xscale("symlog")
        axes.set_ylim(0, HEADROOM * max(p[column] or 0 for p in points))
        axes.set_title(unit, loc="left")
        axes.set_xlabel(CURVES[name])
        axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(target, dpi=DOTS_PER_INCH)


def draw(chart: Chart, figures: Mapping[str, float], target: Path) -> None:
    """Bars on a linear scale: a contestant twice as slow has a bar twice as long."""
    from matplotlib.figure import Figure  # noqa: PLC0415  tests of the page run without it

    some = {name: value for name, value in figures.items() if name not in WITHOUT}
    figure = Figure(figsize=INCHES, layout="constrained")
    axes = figure.subplots()
    colors = [COLOR if name == OURS else OTHERS for name in some]
    bars = axes.barh(list(some), list(some.values()), color=colors)
    axes.bar_label(bars, fmt="%.3g", padding=3)
    axes.invert_yaxis()
    axes.set_title(chart.title, loc="left")
    axes.set_xlabel(chart.unit)
    axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(target, dpi=DOTS_PER_INCH)


def _at(row: Row, path: tuple[str, ...]) -> Any:
    for name in path:
        row = row.get(name) or {}
    return row


def _bar(bar: Row) -> str:
    value = "-" if bar["value"] is None else f"{bar['value']:.3g}"
    sign = "≥" if bar["bound"] == "least" else "≤"
    holds = {True: "yes", False: "no", None: "not measured"}[bar["holds"]]
    return f"| {bar['what']} | {value} | {sign} {bar['limit']:.4g} {bar['unit']} | {bar['source']} | {holds} |"


if __name__ == "__main__":
    main()
