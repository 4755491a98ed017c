"""How a request ended, by what is known of it: its link, a status, or what was raised."""

from dataclasses import replace

import pytest

from antiphon.errors import (
    CredentialMissing,
    LinkNotWritten,
    UpstreamFailed,
    UpstreamNotReached,
    UpstreamRefusedUs,
    UpstreamTimeout,
)
from tests.support.dynamodb import make_link
from tests.support.limits import make_admission, make_caller, make_create, make_request, make_usage

NANO = 10**9
SPENT, FLYING = "key_1_u202611", "key_1_n"
GONE = "gone"


@pytest.fixture
def lease(dynamo, clock):
    who = make_caller(streams=3, budget_usd=9_999.0)
    return make_admission(dynamo.table, clock).admit(
        make_create(max_output_tokens=90), who, make_request()
    )


@pytest.fixture
def counted(row):
    """Dollars, responses in flight, and whether something is still held."""

    def read():
        found = row("key_1")
        held = any(name.startswith("held_") for name in found)
        return found[SPENT] / NANO, found[FLYING], held

    return read


BEGUN = make_link(status="in_progress", model="dear", usage=None)


@pytest.mark.parametrize(
    ("ended", "expected"),
    [
        (replace(BEGUN, status="completed", usage=make_usage(20, 10)), (30, 0, False)),
        (replace(BEGUN, status="incomplete", usage=make_usage(20, 10)), (30, 0, False)),
        (replace(BEGUN, status="cancelled"), (0, 0, False)),
        (replace(BEGUN, status="failed"), (0, 0, False)),
        (BEGUN, (100, 0, True)),
        (replace(BEGUN, unfinished="cut"), (100, 0, True)),
        (replace(BEGUN, unfinished="cut", store=False), (100, 0, False)),
        (replace(BEGUN, unfinished=GONE), (100, 0, False)),
        (replace(BEGUN, unfinished="given up: still running"), (100, 0, False)),
    ],
)
def test_a_link_tells_how_its_request_ended(lease, counted, ended, expected):
    for _ in range(2):
        assert lease.tell(ended)
    assert counted() == expected


def test_a_link_tells_which_target_served_it_at_which_tier(dynamo, counted):
    """Azure has no price for the tier; OpenAI's stands in."""
    lease = make_admission(dynamo.table).admit(
        make_create("gpt-5"), make_caller(streams=3, budget_usd=9.0), make_request()
    )
    ended = replace(BEGUN, model="gpt-5", service_tier="priority", target="azure")
    lease.tell(replace(ended, usage=make_usage(1_000_000, 0)))
    assert counted()[0] == 2.5


@pytest.mark.parametrize(
    ("status", "dollars"), [(400, 0), (429, 0), (500, 0), (503, 0), (502, 100), (504, 100)]
)
def test_an_error_is_not_billed_unless_the_provider_may_have_worked_on(
    lease, counted, status, dollars
):
    lease.answered(status)
    assert counted() == (dollars, 0, False)


@pytest.mark.parametrize(
    ("raised", "dollars"),
    [
        (UpstreamNotReached("x"), 0),
        (UpstreamRefusedUs("x"), 0),
        (CredentialMissing("x"), 0),
        (UpstreamTimeout("x"), 100),
        (UpstreamFailed("x"), 100),
        (LinkNotWritten("x"), 100),
        (ValueError("x"), 100),
        (KeyboardInterrupt(), 100),
    ],
)
def test_what_is_raised_tells_whether_something_was_started(lease, counted, raised, dollars):
    with pytest.raises(type(raised)), lease:
        raise raised
    assert counted() == (dollars, 0, False)


def test_where_nothing_is_raised_nothing_has_ended(lease, counted):
    with lease:
        pass
    assert counted() == (100, 1, True)


def test_what_has_ended_before_something_is_raised_stays_so(lease, counted):
    lease.settle(make_usage(1, 1), model="dear")
    with pytest.raises(ValueError, match="x"), lease:
        raise ValueError("x")
    assert counted() == (2, 0, False)
