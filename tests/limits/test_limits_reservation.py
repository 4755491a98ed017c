"""Usage replaces what is reserved, exactly once: at once, later, or in another process."""

import json

import pytest

from antiphon.settings.config import Limits
from tests.support.limits import (
    ALL_LIMITS,
    DAY,
    HOUR,
    IN_FLIGHT,
    MINUTE,
    NANO,
    NOON,
    RESERVED,
    SPENT,
    make_admission,
    make_caller,
    make_create,
    make_request,
    make_usage,
    reserve,
    settle,
)


def test_usage_replaces_what_is_reserved(dynamo, admission, row, counts):
    reservation = reserve(admission)
    assert counts() == (RESERVED, RESERVED, 1)
    with dynamo.count_calls() as calls:
        assert settle(reservation, make_usage(20, 10))
    assert counts() == (30, 30, 0)
    assert calls == ["UpdateItem"]
    assert not [name for name in row("key_1") if name.startswith("held_")]


def test_usage_may_exceed_what_is_reserved(admission, counts):
    settle(reserve(admission), make_usage(200, 300))
    assert counts() == (500, 500, 0)


def test_settling_twice_changes_nothing(admission, counts):
    reservation = reserve(admission)
    again = admission.reservation_from(reservation.to_json())
    settle(reservation, make_usage(1, 1))
    for each in (reservation, again, admission.reservation_from(reservation.to_json())):
        settle(each, make_usage(50, 50))
        each.keep_reserved()
    assert counts() == (2, 2, 0)


@pytest.mark.parametrize(("tier", "cost"), [(None, 2250), ("flex", 1125), ("priority", 4500)])
def test_the_cost_is_what_the_provider_bills(admission, row, tier, cost):
    reservation = admission.admit(
        make_create("gpt-5", service_tier=tier), ALL_LIMITS, make_request()
    )
    settle(reservation, make_usage(1_000, 100), model="gpt-5", service_tier=tier)
    assert row("key_1")[SPENT] == cost * 1_000  # nano-dollars: 1000 * 1.25 + 100 * 10, a million


def test_cached_tokens_have_their_own_price(admission, row):
    reservation = admission.admit(make_create("gpt-5"), ALL_LIMITS, make_request())
    settle(reservation, make_usage(1_000, 0, cached=400), model="gpt-5")
    assert row("key_1")[SPENT] == 800_000  # 600 * 1.25 + 400 * 0.125, in a million


def test_an_unknown_model_costs_what_the_requested_one_does(admission, counts):
    settle(reserve(admission), make_usage(20, 10), upstream_model="dear-of-november")
    assert counts()[0] == 30


def test_usage_without_a_cost_leaves_what_is_reserved(admission, counts):
    settle(reserve(admission), {"total_tokens": "many"})
    assert counts() == (RESERVED, RESERVED, 0)


def test_a_released_request_counts_as_one_request_only(admission, row, counts):
    reserve(admission, make_caller(rpm=9, tpm=9_999, streams=3, budget_usd=9_999.0)).release()
    assert counts() == (0, 0, 0)
    assert row("key_1")["key_1_r29922480"] == 1


def test_unknown_usage_leaves_what_is_reserved(admission, counts):
    reserve(admission).keep_reserved()
    assert counts() == (RESERVED, RESERVED, 0)


def test_tokens_above_the_estimate_count_in_the_current_minute(admission, row, clock):
    reservation, other = reserve(admission), reserve(admission, id="req_2")
    clock.now = NOON + 61
    settle(reservation, make_usage(100, 50))
    settle(other, make_usage(1, 1))
    counters = row("key_1")
    assert (counters[MINUTE], counters["key_1_t29922481"]) == (2 * RESERVED, 50)


def test_a_cost_counts_in_the_month_of_its_request(admission, row, clock):
    reservation = reserve(admission)
    clock.now = NOON + 30 * DAY
    settle(reservation, make_usage(20, 10))
    assert row("key_1")[SPENT] == 30 * NANO
    assert "key_1_u202612" not in row("key_1")


def test_an_unfinished_response_is_not_in_flight_but_its_cost_stays_reserved(
    dynamo, admission, counts
):
    reservation = reserve(admission)
    with dynamo.count_calls() as calls:
        settle(reservation)
    assert counts() == (RESERVED, RESERVED, 0)
    assert calls == ["UpdateItem"]


def test_another_process_settles_an_unfinished_response(dynamo, admission, counts, clock):
    reservation = reserve(admission)
    stored = json.loads(json.dumps(reservation.to_json()))
    settle(reservation)
    clock.now = NOON + 23 * HOUR
    other = make_admission(dynamo.table, clock)
    with dynamo.count_calls() as calls:
        assert settle(other.reservation_from(stored), make_usage(20, 10))
    assert counts()[0] == 30
    assert calls == ["UpdateItem"]
    assert settle(other.reservation_from(stored), make_usage(20, 10))
    assert counts()[0] == 30


def test_a_stored_reservation_has_the_same_form_in_all_versions(admission, counts):
    """Links and queue messages of an older version are settled as well."""
    stored = reserve(admission).to_json()
    assert stored == {
        "row": "T#acme#L#key_1",
        "id": "dfe7be6cee3b99ca",
        "counted": {IN_FLIGHT: 1, SPENT: RESERVED * NANO, MINUTE: RESERVED},
    }
    with_another_counter = {**stored["counted"], "unknown": 7}
    older = admission.reservation_from({**stored, "counted": with_another_counter, "model": "dear"})
    assert settle(older, make_usage(20, 10))
    assert counts() == (30, 30, 0)


def test_a_link_without_a_reservation_settles_nothing(dynamo, admission):
    with dynamo.count_calls() as calls:
        assert settle(admission.reservation_from(None), make_usage(1, 1))
    assert calls == []


def test_a_limit_of_requests_alone_needs_no_reservation(dynamo, admission):
    reservation = reserve(admission, make_caller(rpm=9))
    with dynamo.count_calls() as calls:
        settle(reservation, make_usage(1, 1))
    assert (reservation.to_json(), calls) == (None, [])


def test_a_reservation_keeps_the_limits_of_its_admission(dynamo, clock, row):
    """A budget that is set later does not count requests that began before."""
    reservation = reserve(make_admission(dynamo.table, clock), make_caller(streams=3))
    settle(reservation, make_usage(5, 5))
    assert row("key_1") == {IN_FLIGHT: 0}


def test_a_tenants_and_a_keys_budget_are_settled_together(dynamo, clock, row):
    tenants = {"acme": Limits(budget_usd=500.0, budget_period="day")}
    admission = make_admission(dynamo.table, clock, tenants)
    reservation = reserve(admission)
    with dynamo.count_calls() as calls:
        settle(reservation, make_usage(20, 10))
    counters = row()
    assert (counters["tenant_u20261122"], counters[SPENT]) == (30 * NANO, 30 * NANO)
    assert calls == ["UpdateItem"]
