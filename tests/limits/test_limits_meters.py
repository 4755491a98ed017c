"""Which counters a caller's limits are, and of which minute, day or month."""

from datetime import UTC, datetime

import pytest

from antiphon.errors import BudgetSpent
from antiphon.limits.counters import account_of, corrections, is_stale, limit_counters, next_period
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
def test_a_caller_is_counted_in_one_row_or_in_none(shared, own, row, scopes):
    found = account_of(make_caller(**own), Limits(**shared))
    assert (found.row, [scope.whose for scope in found.scopes]) == (row, scopes)


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
def test_counting_begins_anew_with_the_minute_the_day_and_the_month(when, minute, day, month):
    who = make_caller(rpm=1, tpm=1, streams=1, budget_usd=1.0)
    found = account_of(who, Limits(budget_usd=1.0, budget_period="day"))
    names = [meter.counter for meter in limit_counters(found.scopes, at(when))]
    money = [f"tenant_u{day}", f"key_1_u{month}"]
    assert names == [*money, f"key_1_r{minute}", f"key_1_t{minute}", "key_1_n"]


def test_a_budget_of_a_day_is_there_again_the_next_day(dynamo):
    clock = Clock(at("2026-11-30T23:59:59"))
    admit, who = (
        make_admission(dynamo.table, clock),
        make_caller(budget_usd=100.0, budget_period="day"),
    )
    admit.admit(make_create(max_output_tokens=90), who, make_request())
    with pytest.raises(BudgetSpent):
        admit.admit(make_create(max_output_tokens=90), who, make_request("1"))
    clock.now += 1
    admit.admit(make_create(max_output_tokens=90), who, make_request("2"))


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
def test_only_counters_of_times_gone_by_are_stale(counter, stale):
    assert is_stale(counter, NOON) == stale


COUNTED = {"k_u202611": 50, "k_n": 1, "k_r29922480": 1, "k_t29922480": 100}


@pytest.mark.parametrize(
    ("spent", "tokens", "later", "expected"),
    [
        (7, 30, 0, {"k_u202611": 7, "k_t29922480": -70}),
        (7, 130, 0, {"k_u202611": 7, "k_t29922480": 30}),
        (7, 30, 60, {"k_u202611": 7}),
        (7, 130, 60, {"k_u202611": 7, "k_t29922481": 30}),
        (None, None, 0, {"k_u202611": 50}),
        (0, 0, 0, {"k_u202611": 0, "k_t29922480": -100}),
    ],
)
def test_what_counts_in_the_end(spent, tokens, later, expected):
    assert corrections(COUNTED, spent, tokens, NOON + later) == expected
