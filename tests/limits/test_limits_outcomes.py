"""How a request ended decides what counts: by its link, a status, or an exception."""

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
from antiphon.upstream.outcome import policy_for_status
from tests.support.dynamodb import make_link
from tests.support.limits import (
    IN_FLIGHT,
    NANO,
    SPENT,
    make_admission,
    make_caller,
    make_create,
    make_request,
    make_usage,
    reserve,
    settle,
)

GONE = "gone"


@pytest.fixture
def reservation(admission):
    return reserve(admission, make_caller(streams=3, budget_usd=9_999.0))


@pytest.fixture
def counted(row):
    """Reads dollars, responses in flight, and whether there is a reservation."""

    def read():
        counters = row("key_1")
        is_reserved = any(name.startswith("held_") for name in counters)
        return counters[SPENT] / NANO, counters[IN_FLIGHT], is_reserved

    return read


CREATED = make_link(status="in_progress", model="dear", usage=None)


@pytest.mark.parametrize(
    ("ended", "expected"),
    [
        (replace(CREATED, status="completed", usage=make_usage(20, 10)), (30, 0, False)),
        (replace(CREATED, status="incomplete", usage=make_usage(20, 10)), (30, 0, False)),
        (replace(CREATED, status="cancelled"), (0, 0, False)),
        (replace(CREATED, status="failed"), (0, 0, False)),
        (CREATED, (100, 0, True)),
        (replace(CREATED, unfinished="cut"), (100, 0, True)),
        (replace(CREATED, unfinished="cut", store=False), (100, 0, False)),
        (replace(CREATED, unfinished=GONE), (100, 0, False)),
        (replace(CREATED, unfinished="given up: still running"), (100, 0, False)),
    ],
)
def test_a_link_decides(reservation, counted, ended, expected):
    for _ in range(2):
        assert reservation.settle_for(ended)
    assert counted() == expected


def test_a_link_names_the_target_and_the_tier(dynamo, counted):
    """Azure has no price for the tier; OpenAI's applies."""
    reservation = make_admission(dynamo.table).admit(
        make_create("gpt-5"), make_caller(streams=3, budget_usd=9.0), make_request()
    )
    served = {"model": "gpt-5", "service_tier": "priority", "target": "azure"}
    settle(reservation, make_usage(1_000_000, 0), **served)
    assert counted()[0] == 2.5


# In dollars: 100 are reserved.
COSTS_OF_STATUSES = {
    400: 0,
    404: 0,
    408: 0,
    409: 0,
    429: 0,
    499: 100,
    500: 100,
    501: 100,
    502: 100,
    503: 0,
    504: 100,
    520: 100,
    524: 100,
    529: 100,
}


@pytest.mark.parametrize(("status", "dollars"), COSTS_OF_STATUSES.items())
def test_an_error_costs_what_is_reserved_if_it_may_have_been_processed(
    reservation, counted, status, dollars
):
    reservation.end(charges=policy_for_status(status).charges)
    assert counted() == (dollars, 0, False)


@pytest.mark.parametrize(
    ("exception", "dollars"),
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
def test_an_exception_decides(reservation, counted, exception, dollars):
    with pytest.raises(type(exception)), reservation:
        raise exception
    assert counted() == (dollars, 0, False)


def test_without_an_exception_nothing_has_ended(reservation, counted):
    with reservation:
        pass
    assert counted() == (100, 1, True)


def test_an_outcome_before_the_exception_stays(reservation, counted):
    settle(reservation, make_usage(1, 1))
    with pytest.raises(ValueError, match="x"), reservation:
        raise ValueError("x")
    assert counted() == (2, 0, False)
