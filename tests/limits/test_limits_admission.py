"""Admission: one write counts a request, or refuses it with OpenAI's error."""

from antiphon.errors import LimitReached, RequestTooLong, TokenLimitReached, TooManyInFlight
from antiphon.settings.config import Limits
from tests.support.dynamodb import make_link
from tests.support.limits import (
    NOON,
    make_admission,
    make_caller,
    make_create,
    make_request,
    make_usage,
    refuse,
    settle,
)

MINUTE = "29922480"  # of noon


def test_a_caller_without_limits_costs_no_call(dynamo):
    with dynamo.count_calls() as calls:
        reservation = make_admission(dynamo.table).admit(
            make_create(), make_caller(), make_request()
        )
        assert (reservation.headers, reservation.to_json()) == ({}, None)
        assert all(
            [settle(reservation, make_usage(1, 1)), settle(reservation), reservation.release()]
        )
    assert calls == []


def test_limits_of_one_request_alone_are_not_counted(dynamo):
    caller = make_caller(max_body_bytes=100, max_output_tokens=100)
    with dynamo.count_calls() as calls:
        reservation = make_admission(dynamo.table).admit(
            make_create(max_output_tokens=100), caller, make_request()
        )
    assert (reservation.to_json(), calls) == (None, [])


def test_all_limits_of_a_key_and_its_tenant_take_one_write(dynamo, row):
    limits = {"rpm": 9, "tpm": 9_999, "streams": 9, "budget_usd": 9_999.0}
    admission = make_admission(
        dynamo.table, tenants={"acme": Limits(**limits, budget_period="day")}
    )
    with dynamo.count_calls() as calls:
        admission.admit(make_create(max_output_tokens=90), make_caller(**limits), make_request())
    assert calls == ["UpdateItem"]
    for scope, period in (("tenant", "20261122"), ("key_1", "202611")):
        counted = {name.removeprefix(scope + "_"): n for name, n in row().items() if scope in name}
        cost = 100 * 10**9
        assert counted == {f"r{MINUTE}": 1, f"t{MINUTE}": 100, "n": 1, f"u{period}": cost}


def test_requests_of_a_minute_are_limited(dynamo):
    admission, caller = make_admission(dynamo.table), make_caller(rpm=2)
    reservations = [admission.admit(make_create(), caller, make_request(str(n))) for n in range(2)]
    assert [r.headers["x-ratelimit-remaining-requests"] for r in reservations] == ["1", "0"]
    error = refuse(admission, LimitReached, caller)
    assert error.error() == {
        "message": "Rate limit reached for this key on requests per min (RPM): Limit 2, Used 2, "
        "Requested 1. Please try again in 60s.",
        "type": "requests",
        "param": None,
        "code": "rate_limit_exceeded",
    }
    assert (error.status, error.retry) == (429, True)
    assert error.headers == {
        "retry-after": "60",
        "x-ratelimit-limit-requests": "2",
        "x-ratelimit-remaining-requests": "0",
        "x-ratelimit-reset-requests": "1m0s",
    }


def test_the_next_minute_starts_at_zero(dynamo, clock):
    admission, caller = make_admission(dynamo.table, clock), make_caller(rpm=1)
    clock.now = NOON + 59.2
    assert (
        admission.admit(make_create(), caller, make_request()).headers["x-ratelimit-reset-requests"]
        == "1s"
    )
    assert refuse(admission, LimitReached, caller).headers["retry-after"] == "1"
    clock.now = NOON + 60
    admission.admit(make_create(), caller, make_request("2"))


def test_a_refused_request_counts_nowhere(dynamo, row):
    admission, caller = (
        make_admission(dynamo.table),
        make_caller(rpm=9, streams=1, budget_usd=9_999.0),
    )
    admission.admit(make_create(), caller, make_request())
    before = row("key_1")
    refuse(admission, TooManyInFlight, caller)
    assert row("key_1") == before


def test_tokens_of_a_minute_are_limited_by_the_estimate(dynamo):
    admission, caller = make_admission(dynamo.table), make_caller(tpm=200)
    reservation = admission.admit(make_create(max_output_tokens=90), caller, make_request())
    assert reservation.headers == {
        "x-ratelimit-limit-tokens": "200",
        "x-ratelimit-remaining-tokens": "100",
        "x-ratelimit-reset-tokens": "1m0s",
    }
    error = refuse(admission, TokenLimitReached, caller, make_create(max_output_tokens=91))
    assert "Limit 200, Used 100, Requested 101." in str(error)
    assert (error.type, error.code, error.retry) == ("tokens", "rate_limit_exceeded", True)
    admission.admit(make_create(max_output_tokens=90), caller, make_request("2"))


def test_a_request_above_the_limit_of_a_minute_is_refused_for_good(dynamo):
    admission, caller = make_admission(dynamo.table), make_caller(tpm=200)
    with dynamo.count_calls() as calls:
        error = refuse(admission, RequestTooLong, caller, make_create(max_output_tokens=191))
    assert "Limit 200, Requested 201. Set a smaller 'max_output_tokens'." in str(error)
    assert (error.retry, error.headers, calls) == (False, {}, [])


def test_a_guessed_output_takes_no_more_than_the_minute_has(dynamo):
    admission, caller = (
        make_admission(dynamo.table, default_output_tokens=1_000),
        make_caller(tpm=200),
    )
    reservation = admission.admit(make_create(), caller, make_request())
    assert reservation.headers["x-ratelimit-remaining-tokens"] == "0"


def test_tokens_of_the_continued_response_count_as_input(dynamo, row):
    admission, caller = make_admission(dynamo.table), make_caller(tpm=9_999)
    admission.admit(
        make_create(max_output_tokens=1),
        caller,
        make_request(),
        make_link(usage=make_usage(300, 200)),
    )
    admission.admit(
        make_create(max_output_tokens=1), caller, make_request("2"), make_link(usage=None)
    )
    assert row("key_1")[f"key_1_t{MINUTE}"] == 511 + 11


def test_responses_in_flight_are_limited(dynamo):
    admission, caller = make_admission(dynamo.table), make_caller(streams=2)
    first, _ = (admission.admit(make_create(), caller, make_request(str(n))) for n in range(2))
    error = refuse(admission, TooManyInFlight, caller)
    assert "Too many responses in flight for this key: Limit 2." in str(error)
    assert (error.status, error.retry, error.headers["retry-after"]) == (429, True, "1")
    settle(first, make_usage(1, 1))
    admission.admit(make_create(), caller, make_request("3"))


def test_a_tenants_limits_hold_for_its_keys_together(dynamo):
    admission = make_admission(dynamo.table, tenants={"acme": Limits(rpm=2)})
    for n in range(2):
        admission.admit(make_create(), make_caller(f"key_{n}"), make_request(str(n)))
    error = refuse(admission, LimitReached, make_caller("key_3", rpm=100))
    assert "for the tenant 'acme' on requests" in str(error)
    assert error.headers["x-ratelimit-limit-requests"] == "2"
    admission.admit(make_create(), make_caller("key_1", "other"), make_request("4"))


def test_a_key_and_its_tenant_both_have_limits(dynamo):
    admission = make_admission(dynamo.table, tenants={"acme": Limits(rpm=9)})
    one = admission.admit(make_create(), make_caller("key_1", rpm=1), make_request())
    assert one.headers["x-ratelimit-limit-requests"] == "1"
    assert "for this key" in str(refuse(admission, LimitReached, make_caller("key_1", rpm=1)))
    two = admission.admit(make_create(), make_caller("key_2", rpm=99), make_request("2"))
    assert two.headers["x-ratelimit-remaining-requests"] == "7"  # the tenant has less left


def test_counters_of_past_minutes_are_removed(dynamo, clock, row):
    admission, caller = make_admission(dynamo.table, clock), make_caller(rpm=9)
    for n in range(10):
        clock.now = NOON + n * 600
        admission.rows._clean_rows.clear()  # a complete row is read once a minute
        admission.admit(make_create(), caller, make_request(str(n)))
    assert len(row("key_1")) == 2


def test_the_row_expires_when_all_its_windows_have_ended(dynamo):
    make_admission(dynamo.table).admit(make_create(), make_caller(rpm=9), make_request())
    expiry = dynamo.table.get("T#acme#L#key_1", "LIMITS")["expires_at"]
    assert expiry == NOON + 900 + 60 + 62 * 86_400
