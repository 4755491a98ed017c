"""What operators see of limits: what is used and reserved, and what is left."""

from antiphon.limits.remaining import LimitReport
from antiphon.settings.config import UNLIMITED, Limits
from tests.support.limits import (
    HOUR,
    NOON,
    RESERVED,
    make_admission,
    make_caller,
    make_usage,
    reserve,
    settle,
)

OF_KEY = Limits(tpm=900, streams=3, budget_usd=500.0)
OF_TENANT = Limits(rpm=50, budget_usd=1_000.0, budget_period="day")
CALLER = make_caller(**OF_KEY.model_dump(exclude_defaults=True))


def read(dynamo, tenant_limits=UNLIMITED, now=NOON):
    """Used and left of each limit."""
    uses = LimitReport(dynamo.table, now).read("acme", "key_1", OF_KEY, tenant_limits)
    return {(use.scope, use.name): (use.used, use.left) for use in uses}


def test_what_is_reserved_is_used_until_the_true_usage_is_known(dynamo, admission):
    assert read(dynamo)["key", "budget_usd"] == (0, 500)
    reservation = reserve(admission, CALLER)
    assert read(dynamo) == {
        ("key", "budget_usd"): (RESERVED, 400),
        ("key", "tpm"): (RESERVED, 800),
        ("key", "streams"): (1, 2),
    }
    settle(reservation, make_usage(20, 10))
    assert read(dynamo)["key", "budget_usd"] == (30, 470)


def test_key_and_tenant_are_counted_in_the_row_of_the_tenant(dynamo):
    admission = make_admission(dynamo.table, tenants={"acme": OF_TENANT})
    reserve(admission, CALLER)
    reserve(admission, make_caller("key_2"), "req_2")
    found = read(dynamo, OF_TENANT)
    assert found["key", "budget_usd"] == (RESERVED, 400)
    assert found["tenant", "budget_usd"] == (2 * RESERVED, 800)
    assert found["tenant", "rpm"] == (2, 48)


def test_what_has_expired_is_left_again(dynamo, admission):
    reserve(admission, CALLER)  # its end is never recorded
    found = read(dynamo, now=NOON + HOUR)
    assert (found["key", "streams"], found["key", "budget_usd"]) == ((0, 3), (0, 500))


def test_an_end_that_counts_later_is_in_the_report(dynamo, admission):
    caller = make_caller(streams=40, budget_usd=9_999.0)
    reservations = [reserve(admission, caller, f"crowd {n}") for n in range(34)]
    for reservation in reservations[:5]:
        settle(reservation, make_usage(20, 10))
    row = dynamo.table.get("T#acme#L#key_1", "LIMITS")
    assert any(name.startswith("end_") for name in row)
    uses = LimitReport(dynamo.table, NOON).read("acme", "key_1", caller.limits, UNLIMITED)
    assert {use.name: use.used for use in uses} == {
        "streams": 29,
        "budget_usd": 29 * RESERVED + 5 * 30,
    }


def test_each_limit_says_when_it_renews(dynamo):
    report = LimitReport(dynamo.table, NOON + 7)
    uses = report.read("acme", "key_1", OF_KEY, OF_TENANT)
    renews = {(use.scope, use.name): use.renews_at and use.renews_at - NOON for use in uses}
    assert renews == {
        ("key", "budget_usd"): 8.5 * 24 * HOUR,
        ("tenant", "budget_usd"): 12 * HOUR,
        ("key", "tpm"): 60,
        ("tenant", "rpm"): 60,
        ("key", "streams"): None,
    }
