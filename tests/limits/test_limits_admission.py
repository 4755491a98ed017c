"""What may be sent is counted by one write; what goes beyond a limit is refused in OpenAI's words."""

import pytest

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
)

MINUTE = "29922480"  # of noon
QUOTA = "You exceeded your current quota: "


def full(admit, error, who=None, wanted=None, **more):
    """The refusal of one more request."""
    with pytest.raises(error) as refused:
        admit.admit(wanted or make_create(), who, make_request("more"), **more)
    return refused.value


def test_without_limits_nothing_is_read_and_nothing_is_written(dynamo):
    with dynamo.count_calls() as calls:
        lease = make_admission(dynamo.table).admit(make_create(), make_caller(), make_request())
        assert (lease.headers, lease.form) == ({}, None)
        assert all([lease.settle(make_usage(1, 1)), lease.settle(None), lease.release()])
    assert calls == []


def test_limits_of_one_request_alone_are_not_counted(dynamo):
    who = make_caller(max_body_bytes=100, max_output_tokens=100)
    with dynamo.count_calls() as calls:
        lease = make_admission(dynamo.table).admit(
            make_create(max_output_tokens=100), who, make_request()
        )
    assert (lease.form, calls) == (None, [])


def test_all_limits_of_a_key_and_its_tenant_are_one_write(dynamo, row):
    every = {"rpm": 9, "tpm": 9_999, "streams": 9, "budget_usd": 9_999.0}
    admit = make_admission(dynamo.table, tenants={"acme": Limits(**every, budget_period="day")})
    with dynamo.count_calls() as calls:
        admit.admit(make_create(max_output_tokens=90), make_caller(**every), make_request())
    assert calls == ["UpdateItem"]
    for scope, period in (("tenant", "20261122"), ("key_1", "202611")):
        counted = {name.removeprefix(scope + "_"): n for name, n in row().items() if scope in name}
        cost = 100 * 10**9
        assert counted == {f"r{MINUTE}": 1, f"t{MINUTE}": 100, "n": 1, f"u{period}": cost}


def test_requests_of_a_minute_are_limited(dynamo):
    admit, who = make_admission(dynamo.table), make_caller(rpm=2)
    leases = [admit.admit(make_create(), who, make_request(str(n))) for n in range(2)]
    assert [lease.headers["x-ratelimit-remaining-requests"] for lease in leases] == ["1", "0"]
    fault = full(admit, LimitReached, who)
    assert fault.error() == {
        "message": "Rate limit reached for this key on requests per min (RPM): Limit 2, Used 2, "
        "Requested 1. Please try again in 60s.",
        "type": "requests",
        "param": None,
        "code": "rate_limit_exceeded",
    }
    assert (fault.status, fault.retry) == (429, True)
    assert fault.headers == {
        "retry-after": "60",
        "x-ratelimit-limit-requests": "2",
        "x-ratelimit-remaining-requests": "0",
        "x-ratelimit-reset-requests": "1m0s",
    }


def test_the_next_minute_begins_anew(dynamo, clock):
    admit, who = make_admission(dynamo.table, clock), make_caller(rpm=1)
    clock.now = NOON + 59.2
    assert (
        admit.admit(make_create(), who, make_request()).headers["x-ratelimit-reset-requests"]
        == "1s"
    )
    assert full(admit, LimitReached, who).headers["retry-after"] == "1"
    clock.now = NOON + 60
    admit.admit(make_create(), who, make_request("2"))


def test_a_refused_request_counts_nowhere(dynamo, row):
    admit, who = make_admission(dynamo.table), make_caller(rpm=9, streams=1, budget_usd=9_999.0)
    admit.admit(make_create(), who, make_request())
    before = row("key_1")
    full(admit, TooManyInFlight, who)
    assert row("key_1") == before


def test_tokens_of_a_minute_are_limited_by_what_a_request_may_use(dynamo):
    admit, who = make_admission(dynamo.table), make_caller(tpm=200)
    lease = admit.admit(make_create(max_output_tokens=90), who, make_request())
    assert lease.headers == {
        "x-ratelimit-limit-tokens": "200",
        "x-ratelimit-remaining-tokens": "100",
        "x-ratelimit-reset-tokens": "1m0s",
    }
    fault = full(admit, TokenLimitReached, who, make_create(max_output_tokens=91))
    assert "Limit 200, Used 100, Requested 101." in str(fault)
    assert (fault.type, fault.code, fault.retry) == ("tokens", "rate_limit_exceeded", True)
    admit.admit(make_create(max_output_tokens=90), who, make_request("2"))


def test_more_tokens_than_a_minute_has_are_refused_for_good(dynamo):
    admit, who = make_admission(dynamo.table), make_caller(tpm=200)
    with dynamo.count_calls() as calls:
        fault = full(admit, RequestTooLong, who, make_create(max_output_tokens=191))
    assert "Limit 200, Requested 201. Set a smaller 'max_output_tokens'." in str(fault)
    assert (fault.retry, fault.headers, calls) == (False, {}, [])


def test_a_mere_guess_at_the_output_takes_no_more_than_the_minute_has(dynamo):
    admit, who = make_admission(dynamo.table, usual_output=1_000), make_caller(tpm=200)
    lease = admit.admit(make_create(), who, make_request())
    assert lease.headers["x-ratelimit-remaining-tokens"] == "0"


def test_what_is_continued_counts_as_input(dynamo, row):
    admit, who = make_admission(dynamo.table), make_caller(tpm=9_999)
    admit.admit(
        make_create(max_output_tokens=1), who, make_request(), make_link(usage=make_usage(300, 200))
    )
    admit.admit(make_create(max_output_tokens=1), who, make_request("2"), make_link(usage=None))
    assert row("key_1")[f"key_1_t{MINUTE}"] == 511 + 11


def test_responses_in_flight_are_limited(dynamo):
    admit, who = make_admission(dynamo.table), make_caller(streams=2)
    first, _ = (admit.admit(make_create(), who, make_request(str(n))) for n in range(2))
    fault = full(admit, TooManyInFlight, who)
    assert "Too many responses in flight for this key: Limit 2." in str(fault)
    assert (fault.status, fault.retry, fault.headers["retry-after"]) == (429, True, "1")
    first.settle(make_usage(1, 1))
    admit.admit(make_create(), who, make_request("3"))


def test_a_tenants_limits_hold_for_its_keys_together(dynamo):
    admit = make_admission(dynamo.table, tenants={"acme": Limits(rpm=2)})
    for n in range(2):
        admit.admit(make_create(), make_caller(f"key_{n}"), make_request(str(n)))
    fault = full(admit, LimitReached, make_caller("key_3", rpm=100))
    assert "for the tenant 'acme' on requests" in str(fault)
    assert fault.headers["x-ratelimit-limit-requests"] == "2"
    admit.admit(make_create(), make_caller("key_1", "other"), make_request("4"))


def test_a_key_has_limits_of_its_own_beside_its_tenants(dynamo):
    admit = make_admission(dynamo.table, tenants={"acme": Limits(rpm=9)})
    one = admit.admit(make_create(), make_caller("key_1", rpm=1), make_request())
    assert one.headers["x-ratelimit-limit-requests"] == "1"
    assert "for this key" in str(full(admit, LimitReached, make_caller("key_1", rpm=1)))
    two = admit.admit(make_create(), make_caller("key_2", rpm=99), make_request("2"))
    assert two.headers["x-ratelimit-remaining-requests"] == "7"  # the tenant has less left


def test_counters_of_minutes_gone_by_do_not_pile_up(dynamo, clock, row):
    admit, who = make_admission(dynamo.table, clock), make_caller(rpm=9)
    for n in range(10):
        clock.now = NOON + n * 600
        admit.desk.reserves._seen.clear()  # a row is looked at once a minute
        admit.admit(make_create(), who, make_request(str(n)))
    assert len(row("key_1")) == 2


def test_the_row_goes_when_nothing_in_it_counts_any_more(dynamo):
    make_admission(dynamo.table).admit(make_create(), make_caller(rpm=9), make_request())
    expiry = dynamo.table.get("T#acme#L#key_1", "LIMITS")["expires_at"]
    assert expiry == NOON + 900 + 60 + 62 * 86_400
