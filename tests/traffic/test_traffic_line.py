"""Requests as lines of 60, 80 and 120 columns, compared with texts that people have looked at."""

import io
from dataclasses import replace
from datetime import UTC
from pathlib import Path

import pytest
from rich.cells import cell_len
from rich.console import Console

from antiphon.settings.config import parse_config
from infra.traffic.assembler import RequestAssembler
from infra.traffic.columns import format_count, format_dollars, format_ms
from infra.traffic.cost import RequestCosts
from infra.traffic.line import format_request
from infra.traffic.record import RequestRecord
from tests.traffic.lines import START, answered, ended, refused, reply, started

EXPECTED = Path(__file__).parent / "expected"
CONFIG = parse_config(
    {
        "targets": {"openai": {"provider": "openai", "models": ["gpt-*"]}},
        "prices": {"gpt-5-mini": {"input": 0.25, "cached_input": 0.025, "output": 2}},
    }
)
LIMIT = (
    "Rate limit reached for this key on requests per min (RPM): Limit 60, Used 60, Requested 1. "
    "Please try again in 12s."
)
SHARED = {"status": 200}


def sample_records():
    """One of each kind that a terminal shows."""
    lines = [
        *(answered("r1"), reply("r1", **SHARED)),
        *(started("r2", 1), ended("r2", 25), reply("r2", **SHARED)),
        *(started("r3", 2), ended("r3", 3, "cut", code="upstream_failed", ms=1_900), reply("r3")),
        *(started("r4", 4), ended("r4", 5), reply("r4", caller_gone=True)),
        *(refused("r5", 6), reply("r5", status=429, message=LIMIT)),
        refused("r6", 7, 401, "invalid_api_key", tenant=None, key_id=None, source_ip="203.0.113.24", model=None),
        reply("r6", message="Incorrect API key provided."),
        answered("r7", 8, method="GET", path="/v1/responses/resp_68a1f3/input_items", model=None, input_tokens=None, output_tokens=None, response_status=None, ms=41.7),
        reply("r7", **SHARED),
        answered("r8", 9, tenant="a-tenant-with-a-long-name", model="gpt-5-mini-2026-11-01-preview", target="azure-sweden-central", status=500, code="provider_5xx", response_status=None),
        reply("r8", status=500, message="The server had an error"),
        *(answered("r9", 10, model="東京-モデル-日本語", cached_tokens=1000), reply("r9", **SHARED)),
    ]  # fmt: skip
    assembler, costs = RequestAssembler(needs_reply=True), RequestCosts(CONFIG)
    return [costs.add_to(record) for record in map(assembler.add, lines) if record is not None]


@pytest.mark.parametrize("width", [60, 80, 120])
def test_lines_fit_the_terminal(width):
    lines = [format_request(each, width, UTC).plain for each in sample_records()]
    assert len(lines) == 9
    assert "\n".join([*lines, ""]) == (EXPECTED / f"requests-{width}.txt").read_text()
    assert max(map(cell_len, lines)) <= width


@pytest.mark.parametrize("width", [60, 80, 120, None])
def test_no_caller_controls_the_terminal(width):
    """By a path or a model, or by a message that quotes them."""
    evil = "a\x1b]0;title\x07\x1b[2J\x9b31m\r\n\u202eb"
    record = replace(sample_records()[4], path=evil, model=evil, target=evil, message=evil)
    for each in (record, replace(record, model=None), replace(record, status=200, code=None)):
        line = format_request(each, width, UTC).plain
        assert line.isprintable(), ascii(line)


def test_in_a_file_nothing_is_cut_off_and_no_message_is_there():
    lines = [format_request(each, None, UTC, with_message=False).plain for each in sample_records()]
    text = "\n".join(lines)
    for value in ("a-tenant-with-a-long-name", "azure-sweden-central", "resp_68a1f3/input_items"):
        assert value in text
    assert "rate_limit_exceeded" in text
    assert "Rate limit reached" not in text


def printed(**console):
    out = io.StringIO()
    target = Console(file=out, width=80, **console)
    target.print(format_request(sample_records()[4], 80, UTC), soft_wrap=True, highlight=False)
    return out.getvalue()


def test_a_terminal_gets_colours_unless_they_are_not_wanted():
    assert "\x1b[33m429" in printed(force_terminal=True, color_system="standard")
    assert "\x1b[33m" not in printed(force_terminal=True, no_color=True)
    assert "\x1b" not in printed()


def test_markup_and_line_ends_in_a_message_are_text():
    record = RequestRecord(time=START, status=400, message="[red]a[/red]\nb")
    assert "[red]a[/red] b" in format_request(record, 80, UTC).plain


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (format_ms(0.4), "0ms"), (format_ms(999.6), "1000ms"), (format_ms(9_990), "10.0s"),
        (format_ms(1_000_000), "1000s"), (format_count(999), "999"),
        (format_count(9_960), "10k"), (format_count(999_999), "1.0M"),
        (format_dollars(0.00001, places=4), "<$.0001"), (format_dollars(0, places=4), "$0.0000"),
        (format_dollars(1234.5, places=6), "$1,234.50"), (format_dollars(None, places=4), ""),
    ],
)  # fmt: skip
def test_numbers_are_short(text, expected):
    assert text == expected


def test_a_price_that_is_not_known_is_no_cost_and_cached_tokens_cost_less():
    records = sample_records()
    assert records[0].cost_usd == pytest.approx(1234 * 0.25e-6 + 345 * 2e-6)
    assert records[-1].cost_usd is None
    cached = replace(records[0], cached_tokens=1000, cost_usd=None)
    assert RequestCosts(CONFIG).add_to(cached).cost_usd == pytest.approx(
        234 * 0.25e-6 + 1000 * 0.025e-6 + 345 * 2e-6
    )
