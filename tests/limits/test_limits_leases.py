"""What was reserved is replaced by what was used: exactly once, soon, late, or by another."""

import json

import pytest

from antiphon.settings.config import Limits
from tests.support.limits import (
    DAY,
    HOUR,
    NOON,
    make_admission,
    make_caller,
    make_create,
    make_request,
    make_usage,
)

NANO = 10**9
SPENT, MINUTE, FLYING = "key_1_u202611", "key_1_t29922480", "key_1_n"
ALL = make_caller(tpm=9_999, streams=3, budget_usd=9_999.0)
RESERVED = 100  # of either, tokens and dollars


@pytest.fixture
def admit(dynamo, clock):
    return make_admission(dynamo.table, clock)


def leased(admit, who=ALL, id="req_1", **more):
    return admit.admit(make_create(max_output_tokens=90), who, make_request(id, **more))


def counts(row):
    """Dollars, tokens and responses in flight."""
    found = row("key_1")
    return found[SPENT] // NANO, found[MINUTE], found[FLYING]


def test_what_was_used_takes_the_place_of_what_was_reserved(dynamo, admit, row):
    lease = leased(admit)
    assert counts(row) == (RESERVED, RESERVED, 1)
    with dynamo.count_calls() as calls:
        assert lease.settle(make_usage(20, 10))
    assert counts(row) == (30, 30, 0)
    assert calls == ["UpdateItem"]
    assert not [name for name in row("key_1") if name.startswith("held_")]


def test_it_may_have_been_more_than_was_reserved(admit, row):
    leased(admit).settle(make_usage(200, 300))
    assert counts(row) == (500, 500, 0)


def test_settling_twice_changes_nothing(admit, row):
    lease = leased(admit)
    again = admit.lease(lease.form)
    lease.settle(make_usage(1, 1))
    for each in (lease, again, admit.lease(lease.form)):
        each.settle(make_usage(50, 50))
        each.forfeit()
    assert counts(row) == (2, 2, 0)


@pytest.mark.parametrize(("tier", "cost"), [(None, 2250), ("flex", 1125), ("priority", 4500)])
def test_it_costs_what_the_provider_bills(admit, row, tier, cost):
    lease = admit.admit(make_create("gpt-5", service_tier=tier), ALL, make_request())
    lease.settle(make_usage(1_000, 100), tier)
    assert row("key_1")[SPENT] == cost * 1_000  # nano-dollars: 1000 * 1.25 + 100 * 10, a million


def test_cached_tokens_cost_what_cached_tokens_cost(admit, row):
    admit.admit(make_create("gpt-5"), ALL, make_request()).settle(
        make_usage(1_000, 0, cached=400), model="gpt-5"
    )
    assert row("key_1")[SPENT] == 800_000  # 600 * 1.25 + 400 * 0.125, in a million


def test_a_model_the_list_does_not_know_costs_what_the_asked_one_does(admit, row):
    leased(admit).settle(make_usage(20, 10), model=["dear-of-november", None])
    assert counts(row)[0] == 30


def test_usage_without_a_cost_counts_as_was_reserved(admit, row):
    leased(admit).settle({"total_tokens": "many"})
    assert counts(row) == (RESERVED, RESERVED, 0)


def test_what_was_not_started_counts_as_one_request_alone(admit, row):
    leased(admit, make_caller(rpm=9, tpm=9_999, streams=3, budget_usd=9_999.0)).release()
    assert counts(row) == (0, 0, 0)
    assert row("key_1")["key_1_r29922480"] == 1


def test_of_what_nobody_will_know_counts_what_was_reserved(admit, row):
    leased(admit).forfeit()
    assert counts(row) == (RESERVED, RESERVED, 0)


def test_tokens_beyond_the_guess_count_when_they_are_known(admit, row, clock):
    lease, other = leased(admit), leased(admit, id="req_2")
    clock.now = NOON + 61
    lease.settle(make_usage(100, 50))
    other.settle(make_usage(1, 1))
    found = row("key_1")
    assert (found[MINUTE], found["key_1_t29922481"]) == (2 * RESERVED, 50)


def test_a_month_that_has_ended_is_settled_as_that_month(admit, row, clock):
    lease = leased(admit)
    clock.now = NOON + 30 * DAY
    lease.settle(make_usage(20, 10))
    assert row("key_1")[SPENT] == 30 * NANO
    assert "key_1_u202612" not in row("key_1")


def test_what_goes_on_is_in_flight_no_more_and_stays_reserved(dynamo, admit, row):
    lease = leased(admit)
    with dynamo.count_calls() as calls:
        lease.settle(None)
    assert counts(row) == (RESERVED, RESERVED, 0)
    assert calls == ["UpdateItem"]


def test_another_process_settles_what_went_on(dynamo, admit, row, clock):
    lease = leased(admit)
    form = json.loads(json.dumps(lease.form))
    lease.settle(None)
    clock.now = NOON + 23 * HOUR
    other = make_admission(dynamo.table, clock)
    with dynamo.count_calls() as calls:
        assert other.lease(form).settle(make_usage(20, 10), model="dear")
    assert counts(row)[0] == 30
    assert calls == ["UpdateItem"]
    assert other.lease(form).settle(make_usage(20, 10))
    assert counts(row)[0] == 30


def test_a_link_without_a_lease_settles_nothing(dynamo, admit):
    with dynamo.count_calls() as calls:
        assert admit.lease(None).settle(make_usage(1, 1))
    assert calls == []


def test_requests_alone_have_no_end_to_be_told_of(dynamo, admit):
    lease = leased(admit, make_caller(rpm=9))
    with dynamo.count_calls() as calls:
        lease.settle(make_usage(1, 1))
    assert (lease.form, calls) == (None, [])


def test_a_lease_goes_with_the_limits_it_was_counted_under(dynamo, clock, row):
    """A budget that is set meanwhile knows nothing of what began before it."""
    lease = leased(make_admission(dynamo.table, clock), make_caller(streams=3))
    lease.settle(make_usage(5, 5))
    assert row("key_1") == {FLYING: 0}


def test_a_tenants_and_a_keys_budget_are_settled_together(dynamo, clock, row):
    tenants = {"acme": Limits(budget_usd=500.0, budget_period="day")}
    admit = make_admission(dynamo.table, clock, tenants)
    lease = leased(admit)
    with dynamo.count_calls() as calls:
        lease.settle(make_usage(20, 10))
    found = row()
    assert (found["tenant_u20261122"], found[SPENT]) == (30 * NANO, 30 * NANO)
    assert calls == ["UpdateItem"]
