"""What `antiphon top` displays in 60, 80 and 120 columns, compared with looked-at texts."""

import io
from datetime import UTC

import pytest
from rich.cells import cell_len
from rich.console import Console

from infra.traffic.picture import Picture
from infra.traffic.summary import Summary, TrafficWindow
from tests.traffic.lines import START
from tests.traffic.test_traffic_line import EXPECTED, sample_records


def sample_picture():
    summary = Summary(300, sample_records(), in_flight=2)
    limits = {"key_1a2b3c4d5e6f7a8b": "budget-usd 80% of 50"}
    return Picture("Antiphon-prod", START, summary, {"azure-east": 12.4}, summary.keys, limits)


def render(picture, width):
    out = io.StringIO()
    Console(file=out, width=width).print(picture.render(width, UTC))
    return [line.rstrip() for line in out.getvalue().splitlines()]


@pytest.mark.parametrize("width", [60, 80, 120])
def test_the_picture_fits_the_terminal(width):
    lines = render(sample_picture(), width)
    assert "\n".join([*lines, ""]) == (EXPECTED / f"top-{width}.txt").read_text()
    assert max(map(cell_len, lines)) <= width


def test_without_requests_there_is_no_table():
    empty = Picture("local", START, Summary(60, [], 0), {}, [], {})
    lines = render(empty, 60)
    assert lines[0] == "local, the last 1 min, 08:00:00"
    assert lines[-1] == "No requests."
    assert "errors       none" in lines
    assert "circuits     all closed" in lines


def test_requests_leave_the_window_by_the_time_at_which_they_ended():
    window = TrafficWindow(10)
    window.add(sample_records())
    assert window.summarise(START + 9.5, 0).requests == 9
    found = window.summarise(START + 26, 0)
    assert [record.request_id for record in found.records] == ["r2", "r4"]  # streams of 24 seconds
    assert window.summarise(START + 100, 0).requests == 0


def test_numbers_are_those_of_the_records():
    found = Summary(300, sample_records(), 0)
    assert (found.requests, found.errors, found.per_minute(found.requests)) == (9, 5, 1.8)
    assert found.error_kinds[0][1] == 1
    assert found.median_first_event_ms == 310.4
    assert found.input_tokens == 3 * 1234 + 3 * 12
    assert next((use.tenant, use.requests) for use in found.keys) == ("acme", 7)
