"""Many requests in flight: their reservations leave the row of the counters, and stay exact."""

from functools import partial

import pytest

from antiphon.errors import TooManyInFlight, Unavailable
from antiphon.settings.config import Limits
from antiphon.store.moved_reservations import MAX_EXPIRED_ROWS, held_partition
from antiphon.store.queries import Query
from tests.support import aws, dynamodb
from tests.support.concurrency import IS_SOAK, ROUNDS
from tests.support.limits import (
    DAY,
    HOUR,
    IN_FLIGHT,
    NANO,
    NOON,
    RESERVED,
    SPENT,
    Clock,
    count_held,
    make_admission,
    make_caller,
    make_usage,
    read_settled,
    reserve,
    settle,
)

MANY = 5_000 if IS_SOAK else 52
CROWD = 34  # enough that most leave the row
KILLED = MAX_EXPIRED_ROWS + CROWD if IS_SOAK else CROWD
ROW = "T#acme#L#key_1"
CALLER = make_caller(streams=CROWD, budget_usd=1_000_000.0)
UNLIMITED = make_caller(streams=10 * MANY, budget_usd=10_000_000.0)
# What a row may have: its counters, and the reservations and ends that wait to be moved.
MAX_ROW_BYTES = 6_000


def reserve_many(admission, count, caller=CALLER, name="many"):
    return [reserve(admission, caller, f"{name} {n}") for n in range(count)]


def read(table):
    return table.get(ROW, "LIMITS")


def own_rows(table):
    """The reservations that have rows of their own."""
    query, found, start = Query(partition=held_partition(ROW), low="0", high="g"), [], None
    while True:
        page = table.query(query, 1_000, start)
        found, start = found + page.items, page.next
        if start is None:
            return found


def assert_all_ended(table, spent):
    row = read_settled(table, ROW)
    assert (row[IN_FLIGHT], row[SPENT], count_held(row)) == (0, spent * NANO, 0)
    assert own_rows(table) == []


def test_the_row_stays_small_and_an_admission_one_write_whatever_is_in_flight(dynamo, admission):
    reservations, sizes = [], []
    with dynamo.count_calls() as calls:
        for n in range(MANY):
            reservations.append(reserve(admission, UNLIMITED, f"{n}"))
            if n % 10 == 9:
                sizes.append(dynamodb.row_bytes(read(dynamo.table)))
    longer_numbers = 10  # bytes
    assert max(sizes) <= max(sizes[:10]) + longer_numbers < MAX_ROW_BYTES
    made = {name: calls.count(name) for name in calls if name != "GetItem"}
    assert made == {"UpdateItem": MANY, "TransactWriteItems": (MANY - 12) // 20}
    row = read(dynamo.table)
    assert (row[IN_FLIGHT], count_held(row), len(own_rows(dynamo.table))) == (
        MANY,
        MANY,
        row["moved"],
    )
    with dynamo.count_calls() as calls:
        for reservation in reservations:
            assert settle(reservation, make_usage(20, 10))
    assert calls.count("UpdateItem") <= 1.4 * MANY
    assert calls.count("TransactWriteItems") <= MANY / 10 + 20
    assert dynamodb.row_bytes(read(dynamo.table)) < MAX_ROW_BYTES
    assert_all_ended(dynamo.table, 30 * MANY)


def test_a_place_is_free_as_soon_as_its_reservation_ends_wherever_that_is(dynamo, admission):
    reservations = reserve_many(admission, CROWD)
    with pytest.raises(TooManyInFlight) as refused:
        reserve(admission, CALLER, "more")
    assert refused.value.headers["retry-after"] == "1"
    ended = reservations[:: 1 if IS_SOAK else 3]
    for n, reservation in enumerate(ended):
        assert settle(reservation, make_usage(20, 10))
        reserve(admission, CALLER, f"next {n}")
        with pytest.raises(TooManyInFlight):
            reserve(admission, CALLER, f"more {n}")
    row = read_settled(dynamo.table, ROW)
    assert row[SPENT] == (30 * len(ended) + RESERVED * CROWD) * NANO
    assert (row[IN_FLIGHT], count_held(row)) == (CROWD, CROWD)


def test_moved_reservations_of_killed_functions_come_back_and_their_usage_counts_once(
    dynamo, admission, clock
):
    caller = make_caller(streams=KILLED, budget_usd=1_000_000.0)
    stored = [each.to_json() for each in reserve_many(admission, KILLED, caller)]
    clock.now = NOON + 900 + 59
    with pytest.raises(TooManyInFlight):
        reserve(admission, caller, "early")
    clock.now += 1
    last = reserve_many(admission, KILLED, caller, "last")
    assert read_settled(dynamo.table, ROW)[SPENT] == RESERVED * KILLED * NANO
    for each in [*stored, *stored[:3]]:
        assert settle(admission.reservation_from(each), make_usage(20, 10))
    for each in last:
        each.release()
    assert_all_ended(dynamo.table, 30 * KILLED)


def test_expired_reservations_without_a_late_usage_leave_their_rows(dynamo, admission, clock):
    reserve_many(admission, CROWD)
    for n in range(1, 4):
        clock.now = NOON + n * 2 * DAY
        admission.rows._clean_rows.clear()  # a row is cleaned up once a minute
        settle(reserve(admission, CALLER, f"later {n}"), make_usage(0, 0))
    assert_all_ended(dynamo.table, 0)


@pytest.mark.parametrize("hours", [0, 2], ids=["held", "expired"])
def test_the_cost_of_a_moved_response_that_still_runs_stays_reserved(
    dynamo, admission, clock, hours
):
    stored = [each.to_json() for each in reserve_many(admission, CROWD)]
    clock.now = NOON + hours * HOUR
    twice = stored[:3]  # a message may arrive twice
    for each in [*stored, *twice]:
        assert settle(admission.reservation_from(each))
    row = read_settled(dynamo.table, ROW)
    assert (row[IN_FLIGHT], row[SPENT]) == (0, RESERVED * CROWD * NANO)
    for each in [*stored, *twice]:
        assert settle(admission.reservation_from(each), make_usage(20, 10))
    assert_all_ended(dynamo.table, 30 * CROWD)


def test_the_end_of_a_moved_reservation_whose_answer_is_lost_counts_once(cloud):
    admission = make_admission(cloud.table)
    reservations = reserve_many(admission, CROWD)
    for operation in ("UpdateItem", "TransactWriteItems"):
        cloud.fail(cloud.dynamodb, operation, aws.lose_response)
    for each in reservations[:3]:
        assert not settle(each, make_usage(20, 10))
    for operation in ("UpdateItem", "TransactWriteItems"):
        cloud.restore(cloud.dynamodb, operation)
    for each in reservations:
        assert settle(each, make_usage(20, 10))
    assert_all_ended(cloud.table, 30 * CROWD)


def test_where_no_transaction_is_possible_requests_are_admitted_and_settled(cloud):
    """As under load, when others change the same row."""
    admission, conflict = make_admission(cloud.table), aws.cancel_transaction("TransactionConflict")
    cloud.fail(cloud.dynamodb, "TransactWriteItems", conflict)
    reservations = reserve_many(admission, CROWD)
    assert count_held(read(cloud.table)) == CROWD
    assert own_rows(cloud.table) == []
    cloud.restore(cloud.dynamodb, "TransactWriteItems")
    reservations += reserve_many(admission, 4, UNLIMITED, "later")
    assert len(own_rows(cloud.table)) == read(cloud.table)["moved"] > 0
    cloud.fail(cloud.dynamodb, "TransactWriteItems", conflict)
    for each in reservations[:3]:
        assert settle(each, make_usage(20, 10))
    cloud.restore(cloud.dynamodb, "TransactWriteItems")
    for each in reservations[3:]:
        assert settle(each, make_usage(20, 10))
    assert_all_ended(cloud.table, 30 * len(reservations))


def test_more_writes_than_one_row_takes_are_refused_with_a_time_to_wait(cloud):
    admission = make_admission(cloud.table)
    cloud.fail(cloud.dynamodb, "UpdateItem", aws.refuse_with("ThrottlingException"))
    with pytest.raises(Unavailable) as refused:
        reserve(admission)
    assert (refused.value.status, refused.value.headers["retry-after"]) == (503, "1")
    assert refused.value.processed == "no"


RACES = ROUNDS if IS_SOAK else 1
FREE = 16  # places for the callers of the race
TENANTS = {f"t{n}": Limits(streams=CROWD + FREE, budget_usd=1e6) for n in range(RACES)}


def admit_once(table, number):
    admission, stored = make_admission(table, Clock(), TENANTS), {}
    for n in range(RACES):
        try:
            stored[n] = reserve(admission, make_caller(f"key_{number}", f"t{n}"), f"{number}")
        except TooManyInFlight:
            continue
    return {n: reservation.to_json() for n, reservation in stored.items()}


def settle_all(stored, table, number):
    admission = make_admission(table, Clock(), TENANTS)
    callers = 2 * dynamodb.THREADS
    for each in stored[number % dynamodb.THREADS :: dynamodb.THREADS] if number < callers else ():
        assert settle(admission.reservation_from(each), make_usage(0, 1))


def test_a_race_for_the_last_places_of_a_crowd_is_exact():
    with dynamodb.shared_table_endpoint() as url:
        table = dynamodb.open_shared_table(url)
        admission, stored = make_admission(table, Clock(), TENANTS), []
        for n in range(RACES):
            held = reserve_many(admission, CROWD, make_caller("key_1", f"t{n}"))
            stored += [each.to_json() for each in held]
            assert table.get(f"T#t{n}#L", "LIMITS")["moved"]
        admitted = dynamodb.run_in_processes(url, admit_once)
        assert [sum(n in each for each in admitted) for n in range(RACES)] == [FREE] * RACES
        stored += [each for some in admitted for each in some.values()]
        dynamodb.run_in_processes(url, partial(settle_all, stored))  # each of them twice
        rows = [read_settled(table, f"T#t{n}#L") for n in range(RACES)]
        assert [(row["tenant_n"], count_held(row)) for row in rows] == [(0, 0)] * RACES
        assert {row["tenant_u202611"] for row in rows} == {(CROWD + FREE) * NANO}
