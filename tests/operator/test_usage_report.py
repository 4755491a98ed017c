"""`antiphon usage`: the table for people."""

import pytest

from tests.support.commands import OPERATOR_ENVIRONMENT, run_antiphon, run_for_json
from tests.support.usage import add_usage, days_ago

pytestmark = pytest.mark.usefixtures("stacks")


def lines(*arguments):
    done = run_antiphon("usage", *arguments)
    assert done.code == 0, done.err
    return [line.split() for line in done.out.splitlines()]


def test_models_are_sorted_by_cost_with_chart_and_total():
    for micro, model in (
        (500, "cheap"),
        (2_000, "expensive"),
        (1_000, "middle"),
        (1_000, "middle"),
    ):
        add_usage(micro=micro, model=model)
    done = run_antiphon("usage")
    heading, _, *rows, _, total = done.out.splitlines()
    assert heading.split() == [
        "model", "requests", "input", "cached", "output", "reasoning", "US", "dollars", "cost",
    ]  # fmt: skip
    assert [row.split()[:3] for row in rows] == [
        ["expensive", "1", "1,000"],
        ["middle", "2", "2,000"],
        ["cheap", "1", "1,000"],
    ]
    assert [row.split()[6] for row in rows] == ["0.002000", "0.002000", "0.000500"]
    assert [row.count("█") for row in rows] == [24, 24, 6]
    assert total.split() == ["total", "4", "4,000", "0", "400", "0", "0.004500"]
    assert f"4 completed, from {days_ago(29)} to {days_ago(0)} (UTC)." in done.err


def test_large_totals_have_two_decimal_places():
    add_usage(micro=1_234_567_890_123)
    assert lines()[2][6] == "1,234,567.89"


def test_remarks_state_what_the_cost_does_not_include():
    add_usage(unpriced=1)
    add_usage(completed=0, failed=1, unmetered=1)
    add_usage(completed=0, unknown=2)
    err = run_antiphon("usage").err
    assert "1 completed, 1 failed, 2 unknown" in err
    assert "1 have no known price" in err
    assert "[prices.MODEL]" in err
    assert "For 1 the provider reported no tokens" in err


def test_chart_shows_tokens_if_there_is_no_cost():
    add_usage(model="a")
    add_usage(model="a")
    add_usage(model="b")
    heading, _, first, second, *_ = lines()
    assert heading[-1] == "tokens"
    assert [row[-1].count("█") for row in (first, second)] == [24, 12]


def test_days_without_usage_are_included():
    add_usage(days=3, micro=4)
    add_usage(days=0, micro=8)
    _, _, *rows = lines("--by", "day")
    assert [row[0] for row in rows[:4]] == [days_ago(3), days_ago(2), days_ago(1), days_ago(0)]
    assert [row[6] for row in rows[:4]] == ["0.000004", "0.000000", "0.000000", "0.000008"]
    assert [each["day"] for each in run_for_json("usage", "--by", "day")["data"]] == [
        days_ago(3),
        days_ago(0),
    ]


def test_key_names_are_printed():
    key = run_for_json("keys", "create", "--tenant", "acme", "--name", "shop [web]")
    add_usage(key=key["id"])
    add_usage(key="key_gone")
    out = run_antiphon("usage", "--by", "key").out
    assert f"{key['id']} (shop [web])" in out
    assert "key_gone" in out
    found = run_for_json("usage", "--by", "key")["data"]
    assert sorted(each["key_id"] for each in found) == sorted([key["id"], "key_gone"])


def test_colours_are_for_terminals_only():
    add_usage(micro=1)
    assert "\x1b" not in run_antiphon("usage").out
    assert "\x1b[" in run_antiphon("usage", env={**OPERATOR_ENVIRONMENT, "FORCE_COLOR": "1"}).out


def test_layout_of_the_chart():
    add_usage(micro=2, model="gpt-5", cached_tokens=400)
    add_usage(micro=1, model="gpt-5-mini", reasoning_tokens=60)
    assert run_antiphon("usage").out.splitlines() == [
        "model        requests   input   cached   output   reasoning   US dollars   cost                    ",
        "─" * 99,
        "gpt-5               1   1,000      400      100           0     0.000002   ████████████████████████",
        "gpt-5-mini          1   1,000        0      100          60     0.000001   ████████████            ",
        "─" * 99,
        "total               2   2,000      400      200          60     0.000003                           ",
    ]  # fmt: skip
