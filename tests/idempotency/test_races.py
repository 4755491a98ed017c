"""64 callers with one key, in threads and in processes, several times over: exactly one sends."""

from collections import Counter
from functools import partial
from uuid import uuid4

import pytest

from antiphon.http import Request
from antiphon.store.idempotency import IdempotencyRecords
from infra.local import transactions
from tests.support import concurrency, dynamodb
from tests.support.dynamodb import embedded_store

CALLERS = 64
ONE_EACH = dict.fromkeys(range(concurrency.ROUNDS), 1)


@pytest.fixture
def url():
    """A server of this test alone: whoever plays AWS in this process forgets its tables."""
    with dynamodb.shared_table_endpoint() as address:
        yield address


def wins(table, number):
    """Whether a caller gets the key of a round."""
    request = Request(str(uuid4()), "POST")
    return (
        IdempotencyRecords(table).take("acme", f"key {number}", "print", request).request_id
        == request.id
    )


def come(table, _):
    """The rounds that a caller has won."""
    return [number for number in range(concurrency.ROUNDS) if wins(table, number)]


def test_of_64_threads_one_sends():
    transactions.install()  # moto's own writes are not made for threads
    with embedded_store(stream=False) as dynamo:
        for number in range(concurrency.ROUNDS):
            assert sum(concurrency.run_at_once(partial(wins, dynamo.table, number), CALLERS)) == 1


def test_of_16_threads_in_each_of_4_processes_one_sends(url):
    assert dynamodb.PROCESSES * dynamodb.THREADS == CALLERS
    assert (
        Counter(number for rounds in dynamodb.run_in_processes(url, come) for number in rounds)
        == ONE_EACH
    )
