"""Many callers with one key, in threads and in processes, in several rounds: one gets it."""

from collections import Counter
from functools import partial
from uuid import uuid4

import pytest

from antiphon.http import Request
from antiphon.store.idempotency import IdempotencyRecords
from tests.support import concurrency, dynamodb
from tests.support.dynamodb import embedded_store

CALLERS = 64
ONE_EACH = dict.fromkeys(range(concurrency.ROUNDS), 1)


@pytest.fixture
def url():
    """A server of this test alone: a fake AWS in this process would remove its tables."""
    with dynamodb.shared_table_endpoint() as address:
        yield address


def gets_key(table, number):
    """Return whether a new request gets the key of a round."""
    request = Request(str(uuid4()), "POST")
    record = IdempotencyRecords(table, None).claim("acme", f"key {number}", "print", request)
    return record.request_id == request.id


def run_rounds(table, _):
    """Return the rounds in which this caller got the key."""
    return [number for number in range(concurrency.ROUNDS) if gets_key(table, number)]


def test_one_of_64_threads_gets_the_key():
    with embedded_store(stream=False) as dynamo:
        for number in range(concurrency.ROUNDS):
            assert (
                sum(concurrency.run_at_once(partial(gets_key, dynamo.table, number), CALLERS)) == 1
            )


def test_one_of_16_threads_in_each_of_several_processes_gets_the_key(url):
    assert (
        Counter(
            number for rounds in dynamodb.run_in_processes(url, run_rounds) for number in rounds
        )
        == ONE_EACH
    )
