"""Callers in several processes, all at once and in several rounds: exactly the limit is admitted."""

from functools import partial

import pytest

from antiphon.errors import BudgetSpent, LimitReached
from antiphon.settings.config import Limits
from tests.support import dynamodb
from tests.support.concurrency import ROUNDS
from tests.support.limits import (
    HOUR,
    NANO,
    NOON,
    Clock,
    count_held,
    make_admission,
    make_caller,
    make_create,
    make_request,
    make_usage,
    read_settled,
    settle,
)

MOST = 100 if dynamodb.PROCESSES * dynamodb.THREADS > 200 else 20
LIMITS = [(1, 10, MOST)[n % 3] for n in range(ROUNDS)]
RESERVED, USED = 3, 1  # dollars for each request
TENANTS = {f"t{n}": Limits(budget_usd=float(RESERVED * most)) for n, most in enumerate(LIMITS)}


@pytest.fixture
def url():
    """A server of this test alone: a fake AWS in this process would remove its tables."""
    with dynamodb.shared_table_endpoint() as address:
        yield address


def admit_once(table, number, hours=0):
    """Send one request to each tenant; return the reservations of the admitted ones by round."""
    admission, stored = make_admission(table, Clock(NOON + hours * HOUR), TENANTS), {}
    for n in range(ROUNDS):
        caller = make_caller(f"key_{number}", f"t{n}", streams=1)
        request = make_request(f"{number} {hours}", b"")  # one token in, and two out at most
        try:
            stored[n] = admission.admit(make_create(max_output_tokens=2), caller, request).to_json()
        except BudgetSpent:
            continue
    return stored


def settle_all(stored, table, number):
    """Settle all of them in each of two processes."""
    admission = make_admission(table)
    if number < 2 * dynamodb.THREADS:
        for each in stored[number % dynamodb.THREADS :: dynamodb.THREADS]:
            assert settle(admission.reservation_from(each), make_usage(0, USED))


def test_exactly_the_limit_is_admitted_and_counted(url):
    rounds = dynamodb.run_in_processes(url, admit_once)
    admitted = [[stored[n] for stored in rounds if n in stored] for n in range(ROUNDS)]
    assert [len(stored) for stored in admitted] == LIMITS

    settled = [stored[::2] for stored in admitted]  # the end of the others is never recorded
    dynamodb.run_in_processes(
        url, partial(settle_all, [each for stored in settled for each in stored])
    )

    table = dynamodb.open_shared_table(url)
    rows = [read_settled(table, f"T#t{n}#L") for n in range(ROUNDS)]
    lost = [most - len(stored) for most, stored in zip(LIMITS, settled, strict=True)]
    sums = [USED * len(settled[n]) + RESERVED * lost[n] for n in range(ROUNDS)]
    assert [row["tenant_u202611"] for row in rows] == [NANO * dollars for dollars in sums]
    assert [count_held(row) for row in rows] == lost

    admission = make_admission(table, Clock(NOON + HOUR), TENANTS)
    for n, most in enumerate(LIMITS):
        left = RESERVED * most - USED * len(settled[n])
        caller = make_caller("key_last", f"t{n}")
        admission.admit(make_create(max_output_tokens=left - 1), caller, make_request("last", b""))
        with pytest.raises(BudgetSpent):
            admission.admit(make_create(max_output_tokens=1), caller, make_request("one more", b""))


def admit_or_settle(stalled, table, number):
    """Send one more request to each tenant, or settle what others have left: each of it twice."""
    if number % 2:
        return admit_once(table, number, hours=1)
    admission = make_admission(table, Clock(NOON + HOUR))
    for each in stalled[number // 2 % dynamodb.THREADS :: dynamodb.THREADS]:
        assert settle(admission.reservation_from(each), make_usage(0, USED))
    return {}


def test_stalling_gives_back_a_reservation_and_its_cost_still_counts(url):
    """The functions of all requests are killed; while their budget comes back their usage comes."""
    rounds = dynamodb.run_in_processes(url, admit_once)
    stalled = [each for stored in rounds for each in stored.values()]
    assert len(stalled) == sum(LIMITS)
    later = dynamodb.run_in_processes(url, partial(admit_or_settle, stalled))
    admitted = [sum(n in stored for stored in later) for n in range(ROUNDS)]
    assert any(admitted)  # of a small limit the late usage may leave nothing

    table = dynamodb.open_shared_table(url)
    rows = [read_settled(table, f"T#t{n}#L") for n in range(ROUNDS)]
    sums = [USED * most + RESERVED * admitted[n] for n, most in enumerate(LIMITS)]
    assert [row["tenant_u202611"] for row in rows] == [NANO * dollars for dollars in sums]
    assert [count_held(row) for row in rows] == admitted


def admit_often(table, number):
    """Admit and settle one request in each round; return how many were admitted."""
    admission, admitted = make_admission(table), 0
    for n in range(ROUNDS):
        try:
            reservation = admission.admit(
                make_create(), make_caller(streams=5), make_request(f"{number} {n}")
            )
        except LimitReached:
            continue
        admitted += 1
        row = table.get("T#acme#L#key_1", "LIMITS")
        assert 1 <= row["key_1_n"] <= 5
        assert sum(name.startswith("held_") for name in row) == row["key_1_n"]
        assert settle(reservation, make_usage(1, 1))
    return admitted


def test_there_are_never_more_in_flight_than_the_limit(url):
    assert sum(dynamodb.run_in_processes(url, admit_often)) >= 5
    assert dynamodb.open_shared_table(url).get("T#acme#L#key_1", "LIMITS")["key_1_n"] == 0
