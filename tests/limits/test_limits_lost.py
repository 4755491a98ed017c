"""What nobody tells of comes back, counts when it is told late, and once whatever fails between."""

import time

import pytest

from antiphon.errors import BudgetSpent, TooManyInFlight, Unavailable
from tests.support import aws
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


def test_what_is_lost_comes_back_when_it_is_needed(dynamo, admit, row, clock):
    who = make_caller(streams=1, budget_usd=150.0)
    leased(admit, who)  # and never heard of again
    with pytest.raises((TooManyInFlight, BudgetSpent)):
        leased(admit, who, "req_2")
    clock.now = NOON + 900 + 60
    with dynamo.count_calls() as calls:
        leased(admit, who, "req_3")
    assert calls == ["UpdateItem"] * 3  # refused, swept, counted
    found = row("key_1")
    assert (found[SPENT], found[FLYING]) == (RESERVED * NANO, 1)


def test_a_request_that_lambda_ends_soon_comes_back_soon(admit, clock):
    who = make_caller(streams=1)
    leased(admit, who, ends_at=time.monotonic())  # in 60 seconds it is lost for certain
    with pytest.raises(TooManyInFlight):
        leased(admit, who, "req_1b")
    clock.now = NOON + 61
    leased(admit, who, "req_2")


def test_what_is_told_late_of_the_lost_counts_and_counts_once(admit, row, clock):
    who = make_caller(budget_usd=150.0)
    form = leased(admit, who).form
    clock.now = NOON + 2 * HOUR
    leased(admit, who, "req_2").settle(make_usage(1, 1))
    assert row("key_1")[SPENT] == 2 * NANO
    for _ in range(3):
        assert admit.lease(form).settle(make_usage(20, 10))
    assert row("key_1")[SPENT] == 32 * NANO


def test_of_the_lost_nothing_is_left_in_the_end(admit, row, clock):
    leased(admit)
    for n in range(1, 4):
        clock.now = NOON + n * 2 * DAY
        admit.desk.reserves._seen.clear()  # a row is looked at once a minute
        leased(admit, id=f"later_{n}").settle(make_usage(1, 1))
    assert not [name for name in row("key_1") if name.startswith("held_")]
    assert (row("key_1")[SPENT], row("key_1")[FLYING]) == (6 * NANO, 0)


def test_of_many_lost_ones_as_many_come_back_as_are_needed(admit, row, clock):
    who = make_caller(budget_usd=100.0)
    for n in range(50):
        admit.admit(make_create(max_output_tokens=1), who, make_request(f"{n}", b"x"))
    assert row("key_1")[SPENT] == 100 * NANO
    clock.now = NOON + HOUR
    leased(admit, who, "last")
    assert row("key_1")[SPENT] == 100 * NANO


def test_an_unknown_lease_is_left_alone(admit, row):
    leased(admit)
    before = row("key_1")
    admit.lease({**leased(admit, id="2").form, "id": "0" * 16}).settle(make_usage(1, 1))
    assert row("key_1").keys() >= before.keys()
    assert counts(row)[0] == 2 * RESERVED


@pytest.fixture
def cloud():
    with aws.fake_aws() as made:
        yield made


def spent(cloud):
    return (cloud.table.get("T#acme#L#key_1", "LIMITS") or {}).get(SPENT)


def test_where_the_table_is_down_only_those_with_limits_are_refused(cloud):
    cloud.fail(cloud.dynamodb, "UpdateItem")
    admit = make_admission(cloud.table)
    with pytest.raises(Unavailable):
        leased(admit)
    leased(admit, make_caller())


def test_a_write_whose_answer_is_lost_counts_once(cloud):
    """botocore sends it again, and hears that it has been there."""
    admit = make_admission(cloud.table)
    cloud.fail(cloud.dynamodb, "UpdateItem", aws.lose_response)
    with pytest.raises(Unavailable):
        leased(admit)
    cloud.restore(cloud.dynamodb, "UpdateItem")
    assert spent(cloud) == RESERVED * NANO
    lease = leased(admit)
    assert spent(cloud) == RESERVED * NANO
    cloud.fail(cloud.dynamodb, "UpdateItem", aws.lose_response)
    assert not lease.settle(make_usage(20, 10))
    cloud.restore(cloud.dynamodb, "UpdateItem")
    assert spent(cloud) == 30 * NANO
    assert lease.settle(make_usage(20, 10))
    assert spent(cloud) == 30 * NANO


def test_what_cannot_be_written_can_be_said_again_and_is_nobodys_trouble(cloud):
    admit = make_admission(cloud.table)
    lease = leased(admit)
    cloud.fail(cloud.dynamodb, "UpdateItem")
    assert [lease.settle(make_usage(20, 10)), lease.settle(None), lease.release()] == [False] * 3
    cloud.restore(cloud.dynamodb, "UpdateItem")
    assert spent(cloud) == RESERVED * NANO
    assert admit.lease(lease.form).settle(make_usage(20, 10))
    assert spent(cloud) == 30 * NANO
