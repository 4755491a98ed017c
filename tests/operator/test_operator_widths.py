"""`antiphon usage`, `antiphon keys list` and `antiphon cost` in 60, 80 and 120 columns; compared with texts."""

import re
from pathlib import Path

import pytest
from rich.cells import cell_len

from tests.support.commands import OPERATOR_ENVIRONMENT, run_antiphon
from tests.support.usage import add_usage

pytestmark = pytest.mark.usefixtures("stacks")
EXPECTED = Path(__file__).parent / "expected"
WIDTHS = (60, 80, 120)
COLOUR = re.compile(r"\x1b\[[\d;]*m")


def run_in_terminal(width, *command):
    """The output without colours; ids of keys are random, and all of one length."""
    terminal = {"FORCE_COLOR": "1", "COLUMNS": str(width), "TERM": "xterm"}
    done = run_antiphon(*command, env={**OPERATOR_ENVIRONMENT, **terminal})
    assert done.code == 0, done.err
    text = re.sub(r"key_[0-9a-f]{16}", "key_0123456789abcdef", COLOUR.sub("", done.out))
    lines = [line.rstrip() for line in text.splitlines()]
    assert max(map(cell_len, lines)) <= width
    return "\n".join([*lines, ""])


def add_keys():
    create = ("keys", "create", "--tenant")
    shop = ("--name", "shop", "--models", "gpt-5*,o3", "--rpm", "60", "--budget-usd", "50")
    for tenant, *options in (("acme",), ("capped", *shop, "--expires", "2100-01-31")):
        assert run_antiphon(*create, tenant, *options).code == 0


def test_keys_fit_the_terminal():
    add_keys()
    for width in WIDTHS:
        expected = (EXPECTED / f"keys-{width}.txt").read_text()
        assert run_in_terminal(width, "keys", "list") == expected


def test_usage_fits_the_terminal():
    add_usage(micro=123_456_789, model="gpt-5", cached_tokens=400)
    add_usage(micro=1_000_000, model="gpt-5-mini-2026-11-01", reasoning_tokens=60)
    for width in WIDTHS:
        expected = (EXPECTED / f"usage-{width}.txt").read_text()
        assert run_in_terminal(width, "usage") == expected


def test_usage_by_three_dimensions_fits_60_columns():
    add_usage(model="a-model-with-a-name-that-is-long", tenant="a-tenant-with-a-long-name")
    text = run_in_terminal(60, "usage", "--by", "day", "--by", "tenant", "--by", "model")
    assert "100" in text


def test_costs_fit_the_terminal():
    options = ("--requests", "1e6", "--seconds", "10", "--memory", "256", "--door", "rest")
    for width in WIDTHS:
        expected = (EXPECTED / f"cost-{width}.txt").read_text()
        assert run_in_terminal(width, "cost", *options) == expected
