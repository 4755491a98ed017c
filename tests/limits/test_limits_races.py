"""64 callers in four processes, all at once and several times over: exactly the limit is admitted."""

from functools import partial

import pytest

from antiphon.errors import BudgetSpent, LimitReached
from antiphon.settings.config import Limits
from tests.support import dynamodb
from tests.support.concurrency import ROUNDS
from tests.support.limits import (
    HOUR,
    NOON,
    Clock,
    make_admission,
    make_caller,
    make_create,
    make_request,
    make_usage,
)

LIMITS = [(1, 20, 40)[n % 3] for n in range(ROUNDS)]
RESERVED, USED = 3, 1  # dollars for each request
TENANTS = {f"t{n}": Limits(budget_usd=float(RESERVED * most)) for n, most in enumerate(LIMITS)}
NANO = 10**9


@pytest.fixture
def url():
    """A server of this test alone: whoever plays AWS in this process forgets its tables."""
    with dynamodb.shared_table_endpoint() as address:
        yield address


def come(table, number):
    """Come once to each tenant; gives what is to be settled of the rounds that admitted it."""
    admit, forms = make_admission(table, tenants=TENANTS), {}
    for n in range(ROUNDS):
        who = make_caller(f"key_{number}", f"t{n}", streams=1)
        wanted = make_request(str(number), b"")  # one token in, and two out at most
        try:
            forms[n] = admit.admit(make_create(max_output_tokens=2), who, wanted).form
        except BudgetSpent:
            continue
    return forms


def settle(forms, table, number):
    """Settle all, in each of two processes."""
    admit = make_admission(table)
    if number < 2 * dynamodb.THREADS:
        for form in forms[number % dynamodb.THREADS :: dynamodb.THREADS]:
            assert admit.lease(form).settle(make_usage(0, USED))


def test_exactly_the_limit_is_admitted_and_the_sum_is_that_of_the_parts(url):
    came = dynamodb.run_in_processes(url, come)
    admitted = [[forms[n] for forms in came if n in forms] for n in range(ROUNDS)]
    assert [len(forms) for forms in admitted] == LIMITS

    told = [forms[::2] for forms in admitted]  # of the others nobody hears again
    dynamodb.run_in_processes(url, partial(settle, [form for forms in told for form in forms]))

    table = dynamodb.open_shared_table(url)
    rows = [table.get(f"T#t{n}#L", "LIMITS") for n in range(ROUNDS)]
    lost = [most - len(forms) for most, forms in zip(LIMITS, told, strict=True)]
    sums = [USED * len(told[n]) + RESERVED * lost[n] for n in range(ROUNDS)]
    assert [row["tenant_u202611"] for row in rows] == [NANO * dollars for dollars in sums]
    assert [sum(name.startswith("held_") for name in row) for row in rows] == lost

    admit = make_admission(table, Clock(NOON + HOUR), TENANTS)
    for n, most in enumerate(LIMITS):
        left = RESERVED * most - USED * len(told[n])
        who = make_caller("key_last", f"t{n}")
        admit.admit(make_create(max_output_tokens=left - 1), who, make_request("last", b""))
        with pytest.raises(BudgetSpent):
            admit.admit(make_create(max_output_tokens=1), who, make_request("one more", b""))


def come_often(table, number):
    """Hold one of a few places for a while, as often as it can be had; gives how often it was."""
    admit, held = make_admission(table), 0
    for n in range(ROUNDS):
        try:
            lease = admit.admit(
                make_create(), make_caller(streams=5), make_request(f"{number} {n}")
            )
        except LimitReached:
            continue
        held += 1
        row = table.get("T#acme#L#key_1", "LIMITS")
        assert 1 <= row["key_1_n"] <= 5
        assert sum(name.startswith("held_") for name in row) == row["key_1_n"]
        assert lease.settle(make_usage(1, 1))
    return held


def test_there_are_never_more_in_flight_than_may_be(url):
    assert sum(dynamodb.run_in_processes(url, come_often)) >= 5
    assert dynamodb.open_shared_table(url).get("T#acme#L#key_1", "LIMITS")["key_1_n"] == 0
