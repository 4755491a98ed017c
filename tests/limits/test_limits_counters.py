"""Names and windows of counters, and what is counted in the end."""

from datetime import UTC, datetime

import pytest

from antiphon.errors import BudgetSpent
from antiphon.limits.counters import (
    account_of,
    corrections,
    from_counts,
    is_stale,
    limit_counters,
    next_period,
    to_counts,
)
from antiphon.settings.config import Limits
from tests.support.limits import NOON, Clock, make_admission, make_caller, make_create, make_request


def at(text):
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


@pytest.mark.parametrize(
    ("shared", "own", "row", "scopes"),
    [
        ({}, {}, None, []),
        ({}, {"max_body_bytes": 1}, None, ["this key"]),
        ({"max_output_tokens": 1}, {"rpm": 1}, "T#acme#L#key_1", ["the tenant 'acme'", "this key"]),
        ({}, {"rpm": 1}, "T#acme#L#key_1", ["this key"]),
        ({"tpm": 1}, {}, "T#acme#L", ["the tenant 'acme'"]),
        ({"streams": 1}, {"rpm": 1}, "T#acme#L", ["the tenant 'acme'", "this key"]),
        ({"budget_usd": 1.0}, {"max_body_bytes": 1}, "T#acme#L", ["the tenant 'acme'", "this key"]),
    ],
)
def test_a_caller_has_one_row_or_none(shared, own, row, scopes):
    account = account_of(make_caller(**own), Limits(**shared))
    assert (account.row, [scope.label for scope in account.scopes]) == (row, scopes)


@pytest.mark.parametrize(
    ("when", "minute", "day", "month"),
    [
        ("2026-11-30T23:59:59.999", "29934719", "20261130", "202611"),
        ("2026-12-01T00:00:00", "29934720", "20261201", "202612"),
        ("2026-12-31T23:59:59", "29979359", "20261231", "202612"),
        ("2027-01-01T00:00:00", "29979360", "20270101", "202701"),
        ("2028-02-29T12:00:30", "30590640", "20280229", "202802"),
    ],
)
def test_windows_are_minutes_days_and_months_in_utc(when, minute, day, month):
    caller = make_caller(rpm=1, tpm=1, streams=1, budget_usd=1.0)
    account = account_of(caller, Limits(budget_usd=1.0, budget_period="day"))
    names = [limit.name for limit in limit_counters(account.scopes, at(when))]
    budgets = [f"tenant_u{day}", f"key_1_u{month}"]
    assert names == [*budgets, f"key_1_r{minute}", f"key_1_t{minute}", "key_1_n"]


def test_a_daily_budget_renews_the_next_day(dynamo):
    clock = Clock(at("2026-11-30T23:59:59"))
    admission, caller = (
        make_admission(dynamo.table, clock),
        make_caller(budget_usd=100.0, budget_period="day"),
    )
    admission.admit(make_create(max_output_tokens=90), caller, make_request())
    with pytest.raises(BudgetSpent):
        admission.admit(make_create(max_output_tokens=90), caller, make_request("1"))
    clock.now += 1
    admission.admit(make_create(max_output_tokens=90), caller, make_request("2"))


@pytest.mark.parametrize(
    ("period", "now", "then"),
    [
        ("day", "2026-11-22T12:00:00", "2026-11-23"),
        ("day", "2026-12-31T23:59:59", "2027-01-01"),
        ("month", "2026-11-22T12:00:00", "2026-12-01"),
        ("month", "2026-12-31T23:59:59", "2027-01-01"),
        ("month", "2028-01-31T00:00:00", "2028-02-01"),
    ],
)
def test_a_budget_renews_at_the_next_midnight_or_month(period, now, then):
    assert next_period(period, at(now)).isoformat() == f"{then}T00:00:00+00:00"


@pytest.mark.parametrize(
    ("counter", "stale"),
    [
        ("key_1_r29922480", False),
        ("key_1_t29922479", False),  # by a clock that is a little slow
        ("key_1_t29922478", True),
        ("key_1_n", False),
        ("key_1_u20261122", False),
        ("key_1_u20261120", False),
        ("key_1_u20261119", True),
        ("tenant_u202610", False),
        ("tenant_u202609", True),
        ("of another kind", False),
    ],
)
def test_counters_of_past_windows_are_stale(counter, stale):
    assert is_stale(counter, NOON) == stale


COUNTED = {"k_u202611": 50, "k_n": 1, "k_r29922480": 1, "k_t29922480": 100}


@pytest.mark.parametrize(
    ("cost", "tokens", "later", "expected"),
    [
        (7, 30, 0, {"k_u202611": 7, "k_t29922480": -70}),
        (7, 130, 0, {"k_u202611": 7, "k_t29922480": 30}),
        (7, 30, 60, {"k_u202611": 7}),
        (7, 130, 60, {"k_u202611": 7, "k_t29922481": 30}),
        (None, None, 0, {"k_u202611": 50}),
        (0, 0, 0, {"k_u202611": 0, "k_t29922480": -100}),
    ],
)
def test_corrections_replace_what_is_reserved(cost, tokens, later, expected):
    assert to_counts(corrections(from_counts(COUNTED), cost, tokens, NOON + later)) == expected
