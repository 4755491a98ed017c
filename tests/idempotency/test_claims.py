"""Rows of idempotency keys: of many requests one gets the key, until it is free again."""

import math
from dataclasses import replace

import pytest

from antiphon.errors import Unavailable
from antiphon.http import Request
from antiphon.store.dynamodb import ConditionFailed
from antiphon.store.idempotency import (
    GRACE_SECONDS,
    MAX_CALL_SECONDS,
    RECORD_SECONDS,
    IdempotencyRecords,
)
from tests.support.dynamodb import embedded_store

NOW = 1_700_000_000.5
DEADLINE = (
    math.ceil(NOW + MAX_CALL_SECONDS) + GRACE_SECONDS
)  # of a request that ends as late as any
SECRET = "the-callers-own-key"


@pytest.fixture(scope="module")
def dynamo():
    with embedded_store(stream=False) as table:
        yield table


@pytest.fixture
def clock():
    """Its hand is `clock.now`."""

    class Clock:
        now = NOW

        def __call__(self):
            return self.now

    return Clock()


@pytest.fixture
def claims(dynamo, clock, request):
    """Whoever takes a key by `take` here takes one of this test's own."""
    made = IdempotencyRecords(dynamo.table, clock)
    take = made.take

    def of_test(id, tenant="acme", asked="print", key=SECRET, ends_at=math.inf):
        key = f"{key} of {request.node.name}"
        return take(tenant, key, asked, Request(id, "POST", ends_at=ends_at))

    made.take = of_test
    return made


def test_the_first_request_gets_the_key_and_the_others_see_whose_it_is(claims):
    first = claims.take("req_1")
    assert (first.request_id, first.deadline, first.response_id) == ("req_1", DEADLINE, None)
    assert claims.take("req_2", asked="another") == first


def test_a_tenants_keys_are_its_own(claims):
    assert claims.take("req_1").request_id == "req_1"
    assert claims.take("req_2", tenant="umbra").request_id == "req_2"
    assert claims.take("req_3", key="another").request_id == "req_3"


def test_a_write_that_was_sent_twice_gets_the_key_once(claims):
    """It was applied, and the answer was lost: the second write meets its own row."""
    assert claims.take("req_1") == claims.take("req_1")
    assert claims.take("req_2").request_id == "req_1"


@pytest.mark.parametrize("ends_at", [-math.inf, 0.0], ids=["long past", "now"])
def test_a_request_without_time_left_has_a_deadline_all_the_same(claims, clock, ends_at):
    first = claims.take("req_1", ends_at=ends_at)
    assert first.deadline == first.free_at == math.ceil(NOW) + GRACE_SECONDS
    clock.now = first.deadline - 1
    assert claims.take("req_2").request_id == "req_1"


def test_a_crashed_owner_leaves_the_key_free_behind_its_deadline(claims, clock):
    crashed = claims.take("req_1")
    clock.now = DEADLINE - 0.1
    assert claims.take("req_2") == crashed
    clock.now = DEADLINE
    assert claims.take("req_3", asked="another").request_id == "req_3"
    claims.keep(crashed, "resp_1")  # it is too late for that, and harms nobody
    claims.free(crashed)
    assert claims.take("req_4").request_id == "req_3"


@pytest.mark.parametrize(
    ("note", "expected"),
    [
        (lambda claims, claim: claims.keep(claim, "resp_1"), {"response_id": "resp_1"}),
        (lambda claims, claim: claims.fail(claim, 504, "late"), {"status": 504, "code": "late"}),
    ],
    ids=["a response", "a failure"],
)
def test_what_became_of_a_request_is_kept_for_a_day(claims, clock, note, expected):
    first = claims.take("req_1")
    note(claims, first)
    clock.now = NOW + RECORD_SECONDS - 1
    kept = replace(first, free_at=first.expires_at, **expected)
    assert claims.take("req_2") == kept
    clock.now = NOW + RECORD_SECONDS
    assert claims.take("req_3").request_id == "req_3"


def test_a_key_that_is_given_back_is_free_at_once(claims):
    claims.free(claims.take("req_1"))
    assert claims.take("req_2", asked="another").request_id == "req_2"
    assert claims.take("req_3").request_id == "req_2"


def test_no_row_holds_a_key_or_what_was_said(dynamo, claims):
    claims.fail(claims.take("req_1", asked="f" * 64), 504, "upstream_timeout")
    rows = dynamo.client.scan(TableName="antiphon-local")["Items"]
    assert SECRET not in str(rows)
    row = next(row for row in rows if row["fingerprint"]["S"] == "f" * 64)
    assert row["pk"]["S"].startswith("T#acme#I#")
    assert set(row) == {
        *("pk", "sk", "tenant", "key", "request_id", "fingerprint"),
        *("deadline", "free_at", "expires_at", "status", "code"),
    }


def test_a_row_that_nobody_can_show_is_no_key_to_be_had():
    class Vanishing:
        def put(self, *_, **__):
            raise ConditionFailed("put_item", None)

    with pytest.raises(Unavailable):
        IdempotencyRecords(Vanishing()).take("acme", SECRET, "print", Request("req_1", "POST"))
