"""Expired reservations are given back; late usage still counts, and once whatever fails."""

import time

import pytest

from antiphon.errors import BudgetSpent, TooManyInFlight, Unavailable
from antiphon.store.reservations import StoredReservation
from tests.support import aws
from tests.support.limits import (
    DAY,
    HOUR,
    IN_FLIGHT,
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


def test_an_expired_reservation_is_given_back_when_it_is_needed(dynamo, admission, row, clock):
    caller = make_caller(streams=1, budget_usd=150.0)
    reserve(admission, caller)  # its end is never recorded
    with pytest.raises((TooManyInFlight, BudgetSpent)):
        reserve(admission, caller, "req_2")
    clock.now = NOON + 900 + 60
    with dynamo.count_calls() as calls:
        reserve(admission, caller, "req_3")
    assert calls == ["UpdateItem"] * 3  # refused, expired, counted
    counters = row("key_1")
    assert (counters[SPENT], counters[IN_FLIGHT]) == (RESERVED * NANO, 1)


def test_a_short_invocation_expires_soon(admission, clock):
    caller = make_caller(streams=1)
    reserve(admission, caller, ends_at=time.monotonic())  # so it expires in 60 seconds
    with pytest.raises(TooManyInFlight):
        reserve(admission, caller, "req_1b")
    clock.now = NOON + 61
    reserve(admission, caller, "req_2")


def test_usage_after_the_expiry_counts_once(admission, row, clock):
    caller = make_caller(budget_usd=150.0)
    stored = reserve(admission, caller).to_json()
    clock.now = NOON + 2 * HOUR
    settle(reserve(admission, caller, "req_2"), make_usage(1, 1))
    assert row("key_1")[SPENT] == 2 * NANO
    for _ in range(3):
        assert settle(admission.reservation_from(stored), make_usage(20, 10))
    assert row("key_1")[SPENT] == 32 * NANO


@pytest.mark.parametrize("hours", [0, 2], ids=["held", "expired"])
def test_what_is_reserved_for_a_response_that_still_runs_is_held_again(
    admission, row, clock, hours
):
    """Its function was killed, so that only the poll can extend the reservation."""
    caller = make_caller(budget_usd=250.0 - 100 * bool(hours), streams=2)
    stored = reserve(admission, caller).to_json()
    clock.now = NOON + hours * HOUR
    reserve(admission, caller, "req_2")  # gives back what has expired
    for _ in range(2):  # a message may arrive twice
        assert settle(admission.reservation_from(stored))
    counters = row("key_1")
    assert (counters[SPENT], counters[IN_FLIGHT]) == (2 * RESERVED * NANO, 1)
    assert settle(admission.reservation_from(stored), make_usage(20, 10))
    assert row("key_1")[SPENT] == (RESERVED + 30) * NANO


def test_expired_reservations_are_removed_in_the_end(admission, row, clock):
    reserve(admission)
    for n in range(1, 4):
        clock.now = NOON + n * 2 * DAY
        admission.rows._clean_rows.clear()  # a complete row is read once a minute
        settle(reserve(admission, id=f"later_{n}"), make_usage(1, 1))
    assert not [name for name in row("key_1") if name.startswith("held_")]
    assert (row("key_1")[SPENT], row("key_1")[IN_FLIGHT]) == (6 * NANO, 0)


def test_many_expired_reservations_are_given_back_together(admission, row, clock):
    caller = make_caller(budget_usd=100.0)
    for n in range(50):
        admission.admit(make_create(max_output_tokens=1), caller, make_request(f"{n}", b"x"))
    assert row("key_1")[SPENT] == 100 * NANO
    clock.now = NOON + HOUR
    reserve(admission, caller, "last")
    assert row("key_1")[SPENT] == 100 * NANO


def test_an_unknown_reservation_changes_nothing(admission, row, counts):
    reserve(admission)
    before = row("key_1")
    unknown = {**reserve(admission, id="2").to_json(), "id": "0" * 16}
    settle(admission.reservation_from(unknown), make_usage(1, 1))
    assert row("key_1").keys() >= before.keys()
    assert counts()[0] == 2 * RESERVED


def spent(cloud):
    return (cloud.table.get("T#acme#L#key_1", "LIMITS") or {}).get(SPENT)


def test_without_the_table_only_callers_with_limits_are_refused(cloud):
    cloud.fail(cloud.dynamodb, "UpdateItem")
    admission = make_admission(cloud.table)
    with pytest.raises(Unavailable):
        reserve(admission)
    reserve(admission, make_caller())


def test_a_write_whose_answer_is_lost_counts_once(cloud):
    admission = make_admission(cloud.table)
    cloud.fail(cloud.dynamodb, "UpdateItem", aws.lose_response)
    reservation = reserve(admission)
    cloud.restore(cloud.dynamodb, "UpdateItem")
    assert spent(cloud) == RESERVED * NANO
    cloud.fail(cloud.dynamodb, "UpdateItem", aws.lose_response)
    assert not settle(reservation, make_usage(20, 10))
    cloud.restore(cloud.dynamodb, "UpdateItem")
    assert spent(cloud) == 30 * NANO
    assert settle(reservation, make_usage(20, 10))
    assert spent(cloud) == 30 * NANO


@pytest.mark.parametrize("then", [aws.lose_response, aws.refuse_connection])
def test_a_reservation_that_cannot_be_used_is_given_back(cloud, then):
    """At once, or from the queue."""
    admission = make_admission(cloud.table, queue=cloud.queue)
    faults = iter([aws.lose_response, aws.lose_response])

    def fail(request):
        return next(faults, then)(request)

    cloud.fail(cloud.dynamodb, "UpdateItem", fail)
    cloud.fail(cloud.dynamodb, "GetItem")
    with pytest.raises(Unavailable):
        reserve(admission)
    for operation in ("UpdateItem", "GetItem"):
        cloud.restore(cloud.dynamodb, operation)
    for message, _ in cloud.sent * 2:  # a message may arrive twice
        stored = StoredReservation(message.row, message.id, message.refund)
        admission.rows.settle(stored, message.amounts, is_open=message.is_open)
    assert spent(cloud) == 0


def test_a_settlement_that_the_table_does_not_take_waits_in_the_queue(cloud):
    admission = make_admission(cloud.table, queue=cloud.queue)
    reservations = [reserve(admission, id=str(n)) for n in range(3)]
    cloud.fail(cloud.dynamodb, "UpdateItem")
    assert settle(reservations[0], make_usage(20, 10))
    assert settle(reservations[1], None)
    assert reservations[2].release()
    cloud.restore(cloud.dynamodb, "UpdateItem")
    for message, _ in cloud.sent * 2:
        stored = StoredReservation(message.row, message.id, message.refund)
        admission.rows.settle(stored, message.amounts, is_open=message.is_open)
    assert spent(cloud) == (30 + RESERVED) * NANO
    assert cloud.table.get("T#acme#L#key_1", "LIMITS")[IN_FLIGHT] == 0


def test_a_failed_settlement_raises_nothing_and_can_be_repeated(cloud):
    admission = make_admission(cloud.table)
    reservation = reserve(admission)
    cloud.fail(cloud.dynamodb, "UpdateItem")
    assert [
        settle(reservation, make_usage(20, 10)),
        settle(reservation),
        reservation.release(),
    ] == [False] * 3
    cloud.restore(cloud.dynamodb, "UpdateItem")
    assert spent(cloud) == RESERVED * NANO
    assert settle(admission.reservation_from(reservation.to_json()), make_usage(20, 10))
    assert spent(cloud) == 30 * NANO
