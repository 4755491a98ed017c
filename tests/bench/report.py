"""The figures as tables for people."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from tests.bench.bars import Bar
from tests.bench.rig import ABOUT

type Row = Sequence[object]

KINDS = {
    "not_streamed": "An answer that is not streamed, to its end",
    "first_event": "A stream, to its first event",
}
WIDTH = 100  # where the terminal is narrower, or there is none
LATENCY = ("", "p50, ms", "added p50", "added p90", "added p99", "CPU per call, ms")
VERDICTS = {True: "[green]yes", False: "[red]no", None: "not measured"}


def console() -> Console:
    found = Console()
    return found if found.width >= WIDTH else Console(width=WIDTH)


def show(console: Console, document: Mapping[str, Any], bars: Sequence[Bar]) -> None:
    results, here = document["results"], document["machine"]
    for name, draw in DRAWN.items():
        for table in draw(results[name]) if name in results else ():
            console.print(table)
    if bars:
        console.print(_bars(bars))
    for name in _names(results):
        console.print(f"[bold]{name}[/]: {ABOUT[name]}")
    for name, why in results.get("left_out", {}).items():
        console.print(f"[bold]Without {name}[/]: {escape(why)}")
    console.print(f"The function runs from {results['functions']}.")
    console.print(
        f"{here['processors']} x {here['processor']}, Python {here['python']}, load before it "
        f"{here['load'][0]:g}. Trust medians and ratios; other machines have other figures."
    )


def _names(results: Mapping[str, Any]) -> list[str]:
    """The contestants whose names stand in the tables."""
    latency = results.get("latency", {}).get("not_streamed", {})
    named = {*latency, *results.get("paced", {}), *results.get("start", {})}
    return [name for name in ABOUT if name in named]


def _table(title: str, columns: Sequence[str], rows: Iterable[Row]) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold")
    for number, column in enumerate(columns):
        table.add_column(column, justify="right" if number else "left")
    for row in rows:
        table.add_row(*map(_text, row))
    return table


def _text(value: object) -> str:
    if value is None:
        return "-"
    if isinstance(value, float):
        return f"{value:.3g}" if abs(value) < 100 else f"{value:,.0f}"
    return str(value)


def _latency(found: Mapping[str, Any], where: str = "") -> Iterator[Table]:
    for kind, title in KINDS.items():
        rows = (
            (
                name,
                row["ms"]["p50"],
                *(row["added_ms"][p] for p in ("p50", "p90", "p99")),
                row["cpu_ms"],
            )
            for name, row in found[kind].items()
        )
        yield _table(title + where, LATENCY, rows)


def _front(found: Mapping[str, Any]) -> Iterator[Table]:
    return _latency(found, ", through antiphon local with moto (CPU of the front)")


def _paced(found: Mapping[str, Any]) -> Iterator[Table]:
    columns = ("", "streams", "lag p50, ms", "p99", "added p50", "merged", "CPU per event, µs")
    rows = (
        (
            name,
            row["streams"],
            row["lag_ms"]["p50"],
            row["lag_ms"]["p99"],
            row["added_lag_ms"],
            row["merged"],
            row["cpu_us_per_event"],
        )
        for name, row in found.items()
    )
    yield _table("Streams of 200 events, 5 ms from each other", columns, rows)


def _start(found: Mapping[str, Any]) -> Iterator[Table]:
    columns = ("", "p50, ms", "p90", "CPU, ms", "memory, MB")
    rows = (
        (name, row["ms"]["p50"], row["ms"]["p90"], row["cpu_ms"], row["rss_mb"])
        for name, row in found.items()
    )
    yield _table("Process start to first answer, .pyc in place", columns, rows)


def _asset(found: Mapping[str, Any]) -> Iterator[Table]:
    yield _table("Asset of the functions", tuple(found), [tuple(found.values())])


def _planning(found: Mapping[str, Any]) -> Iterator[Table]:
    columns = (
        "targets",
        "plan, µs",
        "auth and plan, µs",
        "parse the body, µs",
        "20 tools under policies, µs",
    )
    yield _table("CPU of single steps", columns, [tuple(found.values())])


def _crowd(found: Mapping[str, Any]) -> Iterator[Table]:
    if "not_measured" in found:
        yield _table("Streams at once", tuple(found), [tuple(found.values())])
        return
    yield _streams(found.items())


def _crowds(points: Sequence[Mapping[str, Any]]) -> Iterator[Table]:
    yield _streams(("antiphon local", point) for point in points)


def _streams(found: Iterable[tuple[str, Mapping[str, Any]]]) -> Table:
    columns = ("", "streams", "failed", "lag p50, ms", "p99", "total p99, ms", "good")
    rows = (
        (
            name,
            row["streams"],
            row["failed"],
            row["lag_ms"]["p50"],
            row["lag_ms"]["p99"],
            row["total_ms"]["p99"],
            row["good"],
        )
        for name, row in found
    )
    return _table("Streams at once, 20 events a second each", columns, rows)


def _bars(bars: Iterable[Bar]) -> Table:
    columns = ("", "value", "bar", "", "holds")
    rows = (
        (
            bar.what,
            bar.value,
            f"{'≥' if bar.least else '≤'} {bar.limit:.4g} {bar.unit}",
            bar.source,
            VERDICTS[bar.holds],
        )
        for bar in bars
    )
    return _table("Bars", columns, rows)


def _growth(found: Mapping[str, Any]) -> Iterator[Table]:
    columns = ("", "number", "CPU, ms", "calls to AWS", "their bytes", "p50 with moto, ms")
    names = ("number", "cpu_ms", "aws_calls", "aws_bytes", "ms")
    rows = [
        (curve, *(point[name] for name in names))
        for curve, points in found.items()
        for point in points
    ]
    yield _table("A request that is not streamed, as these become more", columns, rows)


DRAWN: Mapping[str, Callable[[Any], Iterator[Table]]] = {
    "latency": _latency,
    "paced": _paced,
    "start": _start,
    "front": _front,
    "asset": _asset,
    "planning": _planning,
    "crowd": _crowd,
    "growth": _growth,
    "crowds": _crowds,
}
