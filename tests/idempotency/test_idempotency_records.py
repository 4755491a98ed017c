"""Rows of Idempotency-Keys: one of many requests gets a key, until it is free again."""

import math
from dataclasses import replace

import pytest

from antiphon.errors import Unavailable
from antiphon.http import MAX_CALL_SECONDS, Request
from antiphon.store.dynamodb import ConditionFailed
from antiphon.store.idempotency import (
    GRACE_SECONDS,
    RECORD_SECONDS,
    IdempotencyRecords,
)
from tests.support.dynamodb import embedded_store

NOW = 1_700_000_000.5
DEADLINE = math.ceil(NOW + MAX_CALL_SECONDS) + GRACE_SECONDS  # of the longest invocation
SECRET = "the-callers-own-key"


@pytest.fixture(scope="module")
def dynamo():
    with embedded_store(stream=False) as table:
        yield table


@pytest.fixture
def clock():
    class Clock:
        now = NOW

        def __call__(self):
            return self.now

    return Clock()


@pytest.fixture
def records(dynamo, clock):
    return IdempotencyRecords(dynamo.table, None, clock)


@pytest.fixture
def claim(records, request):
    """Claims a key that only this test uses."""

    def claim_key(id, tenant="acme", fingerprint="print", key=SECRET, ends_at=math.inf):
        key = f"{key} of {request.node.name}"
        return records.claim(tenant, key, fingerprint, Request(id, "POST", ends_at=ends_at))

    return claim_key


def test_the_first_request_gets_the_key_and_others_get_its_record(claim):
    first = claim("req_1")
    assert (first.request_id, first.deadline, first.response_id) == ("req_1", DEADLINE, None)
    assert claim("req_2", fingerprint="another") == first


def test_each_tenant_has_its_own_keys(claim):
    assert claim("req_1").request_id == "req_1"
    assert claim("req_2", tenant="umbra").request_id == "req_2"
    assert claim("req_3", key="another").request_id == "req_3"


def test_a_write_that_is_sent_twice_claims_the_key_once(claim):
    """The first write was applied but not confirmed: the second one finds its own row."""
    assert claim("req_1") == claim("req_1")
    assert claim("req_2").request_id == "req_1"


@pytest.mark.parametrize("ends_at", [-math.inf, 0.0], ids=["long ago", "now"])
def test_a_request_without_time_left_has_a_deadline(claim, clock, ends_at):
    first = claim("req_1", ends_at=ends_at)
    assert first.deadline == first.free_at == math.ceil(NOW) + GRACE_SECONDS
    clock.now = first.deadline - 1
    assert claim("req_2").request_id == "req_1"


def test_the_key_of_a_crashed_request_is_free_after_its_deadline(claim, records, clock):
    crashed = claim("req_1")
    clock.now = DEADLINE - 0.1
    assert claim("req_2") == crashed
    clock.now = DEADLINE
    assert claim("req_3", fingerprint="another").request_id == "req_3"
    records.set_response(crashed, "resp_1")  # too late: this changes nothing
    records.free(crashed)
    assert claim("req_4").request_id == "req_3"


@pytest.mark.parametrize(
    ("write", "expected"),
    [
        (lambda records, record: records.set_response(record, "resp_1"), {"response_id": "resp_1"}),
        (
            lambda records, record: records.set_failure(record, 504, "late"),
            {"status": 504, "code": "late"},
        ),
    ],
    ids=["a response", "a failure"],
)
def test_an_outcome_is_stored_for_a_day(claim, records, clock, write, expected):
    first = claim("req_1")
    write(records, first)
    clock.now = NOW + RECORD_SECONDS - 1
    recorded = replace(first, free_at=first.expires_at, **expected)
    assert claim("req_2") == recorded
    clock.now = NOW + RECORD_SECONDS
    assert claim("req_3").request_id == "req_3"


def test_a_freed_key_is_free_at_once(claim, records):
    records.free(claim("req_1"))
    assert claim("req_2", fingerprint="another").request_id == "req_2"
    assert claim("req_3").request_id == "req_2"


def test_no_row_has_a_key_or_content(dynamo, claim, records):
    records.set_failure(claim("req_1", fingerprint="f" * 64), 504, "upstream_timeout")
    rows = dynamo.client.scan(TableName="antiphon-local")["Items"]
    assert SECRET not in str(rows)
    row = next(row for row in rows if row["fingerprint"]["S"] == "f" * 64)
    assert row["pk"]["S"].startswith("T#acme#I#")
    assert set(row) == {
        *("pk", "sk", "tenant", "key", "request_id", "fingerprint"),
        *("deadline", "free_at", "expires_at", "status", "code"),
    }


def test_a_claim_whose_row_disappears_fails():
    class WithoutRows:
        def put(self, *_, **__):
            raise ConditionFailed("put_item", None)

    records = IdempotencyRecords(WithoutRows(), None)
    with pytest.raises(Unavailable):
        records.claim("acme", SECRET, "print", Request("req_1", "POST"))
