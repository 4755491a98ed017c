"""Requests that are refused for good, and the texts of refusals and headers."""

import pytest

from antiphon.errors import BodyTooLarge, BudgetSpent, InvalidRequest, PriceUnknown
from antiphon.limits.counters import account_of, limit_counters
from antiphon.limits.refusals import (
    format_dollars,
    format_duration,
    rate_limit_headers,
    seconds_to_next_minute,
)
from antiphon.limits.reservation import Reservation
from antiphon.schema.other_bodies import Compact
from antiphon.settings.config import UNLIMITED, Limits
from tests.support.limits import (
    NOON,
    make_admission,
    make_caller,
    make_create,
    make_request,
    refuse,
)

MINUTE = "29922480"  # of noon
QUOTA = "You exceeded your current quota: "


def test_reserved_amounts_count_against_a_budget(dynamo):
    admission, caller = make_admission(dynamo.table), make_caller(budget_usd=250.5)
    for n in range(2):
        admission.admit(make_create(max_output_tokens=90), caller, make_request(str(n)))
    error = refuse(admission, BudgetSpent, caller, make_create(max_output_tokens=90))
    assert error.error() == {
        "message": QUOTA + "the budget of this key is $250.5 a month, of which $200 is used or "
        "reserved, and this request may cost $100. It renews at 2026-12-01 00:00 UTC.",
        "type": "insufficient_quota",
        "param": None,
        "code": "insufficient_quota",
    }
    assert (error.status, error.retry, error.headers) == (429, False, {})
    admission.admit(make_create(max_output_tokens=40), caller, make_request("3"))


def test_a_request_above_the_whole_budget_is_refused_without_a_write(dynamo):
    admission, caller = (
        make_admission(dynamo.table),
        make_caller(budget_usd=50.0, budget_period="day"),
    )
    with dynamo.count_calls() as calls:
        error = refuse(admission, BudgetSpent, caller, make_create(max_output_tokens=90))
    assert str(error) == (
        QUOTA + "the budget of this key is $50 a day, and this request alone may cost $100. "
        "Set a smaller 'max_output_tokens'."
    )
    assert calls == []


@pytest.mark.parametrize(
    ("fields", "param", "code"),
    [
        ({}, "max_output_tokens", "max_output_tokens_unset"),
        ({"max_output_tokens": 101}, "max_output_tokens", "max_output_tokens_exceeded"),
        ({"max_tokens": 101}, "max_tokens", "max_output_tokens_exceeded"),
    ],
)
def test_under_an_output_limit_a_request_must_set_its_own(dynamo, fields, param, code):
    caller = make_caller(max_output_tokens=100)
    error = refuse(make_admission(dynamo.table), InvalidRequest, caller, make_create(**fields))
    assert (error.status, error.param, error.code) == (400, param, code)
    assert "The limit of this key is 100 output tokens for each request" in str(error)


def test_the_lower_output_limit_decides(dynamo):
    admission = make_admission(dynamo.table, tenants={"acme": Limits(max_output_tokens=50)})
    body = make_create(max_output_tokens=60)
    error = refuse(admission, InvalidRequest, make_caller(max_output_tokens=100), body)
    assert "the tenant 'acme' is 50 output tokens" in str(error)


def test_a_compaction_counts_but_has_no_output_to_limit(dynamo, row):
    caller = make_caller(rpm=9, max_output_tokens=100)
    make_admission(dynamo.table).admit(
        Compact.of({"model": "dear", "input": "x"}), caller, make_request()
    )
    assert row("key_1") == {f"key_1_r{MINUTE}": 1}


def test_the_size_of_a_request_is_limited(dynamo):
    admission, caller = make_admission(dynamo.table), make_caller(max_body_bytes=10)
    with pytest.raises(BodyTooLarge) as refused:
        admission.admit(make_create(), caller, make_request(body=b"x" * 11))
    assert refused.value.status == 413
    assert "It has 11 bytes; the limit of this key is 10." in str(refused.value)
    admission.admit(make_create(), caller, make_request(body=b"x" * 10))


def test_under_a_budget_a_model_without_a_price_is_refused(dynamo):
    admission, caller = make_admission(dynamo.table), make_caller(budget_usd=9.0)
    error = refuse(admission, PriceUnknown, caller, make_create("sim-text"))
    assert (error.status, error.param, error.code) == (400, "model", "model_without_price")
    assert '[prices."sim-text"] in gateway.toml' in str(error)
    assert "'scale'" in str(
        refuse(admission, PriceUnknown, caller, make_create("gpt-5", service_tier="scale"))
    )
    without_model = make_create(None, prompt={"id": "pmpt_1"})
    assert "must name its model" in str(refuse(admission, PriceUnknown, caller, without_model))
    admission.admit(make_create("sim-text"), make_caller(rpm=9), make_request())


def test_without_a_budget_no_price_is_needed(dynamo):
    reservation = make_admission(dynamo.table).admit(
        make_create("sim-text"), make_caller(tpm=9_999), make_request()
    )
    assert isinstance(reservation, Reservation)


@pytest.mark.parametrize(
    ("now", "seconds", "text"),
    [(60.0, 60, "1m0s"), (60.1, 60, "1m0s"), (61.0, 59, "59s"), (119.9, 1, "1s")],
)
def test_a_minute_ends_with_the_minute_of_the_clock(now, seconds, text):
    assert seconds_to_next_minute(now) == seconds
    assert format_duration(seconds) == text


def test_longer_durations_have_minutes_and_seconds():
    assert format_duration(360) == "6m0s"


@pytest.mark.parametrize(
    ("nano", "text"),
    [
        (0, "$0"),
        (1, "$0.000001"),
        (10**9, "$1"),
        (1_234_500_000_000, "$1,234.5"),
        (81_920_000, "$0.08192"),
        (10 * 10**9, "$10"),
    ],
)
def test_dollars_are_rounded_up_to_a_millionth(nano, text):
    assert format_dollars(nano) == text


def test_remaining_requests_are_never_negative():
    """The operator may have lowered the limit."""
    limits = list(limit_counters(account_of(make_caller(rpm=1), UNLIMITED).scopes, NOON))
    headers = rate_limit_headers(limits, {limits[0].name: 5}, NOON)
    assert headers["x-ratelimit-remaining-requests"] == "0"
