"""The page of a run has each figure and each bar of its file."""

import json
from pathlib import Path

from tests.bench.charts import CHARTS, read, write_page

RUN = Path(__file__).parents[2] / "docs" / "performance" / "2026-11-29.json"


def test_the_page_has_all_figures_and_bars_of_a_run():
    document = json.loads(RUN.read_text())
    document["results"]["left_out"] = {"Portkey, of streams": "status\n500"}
    drawn = [(chart, read(document, chart)) for chart in CHARTS]
    page = "\n".join(write_page(document, RUN, drawn))
    assert "Without Portkey, of streams: status 500" in page
    for chart, figures in drawn:
        assert list(figures.values()) == sorted(figures.values())
        assert {"naive", "ours"} <= figures.keys()
        assert f"(performance/2026-11-29-{chart.name}.png)" in page
        assert all(f"| {name} | {value:.3g} |" in page for name, value in figures.items())
    assert page.count("| yes |") + page.count("| no |") == len(document["bars"])


def test_a_curve_has_a_row_for_each_point():
    point = {"number": 100_000, "cpu_ms": 1.234, "aws_calls": 2.0, "aws_bytes": 1785.0, "ms": 4.5}
    document = json.loads(RUN.read_text())
    streams = {
        "streams": 200,
        "failed": 0,
        "lag_ms": {"p50": 5.04, "p99": 567},
        "total_ms": {"p99": 4321.6},
    }
    document["results"] = {"growth": {"links": [point]}, "crowds": [streams]}
    page = "\n".join(write_page(document, RUN, []))
    assert "| 100,000 | 1.23 | 2 | 1,785 | 4.50 |" in page
    assert "| 200 | 0 | 5.0 | 567.0 | 4,322 |" in page
    assert "(performance/2026-11-29-growth-links.png)" in page


def test_what_was_not_measured_is_left_out():
    assert [read({"results": {}}, chart) for chart in CHARTS] == [{}] * len(CHARTS)
