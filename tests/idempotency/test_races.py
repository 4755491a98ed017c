"""64 callers with one key, in threads and in processes, twenty times over: exactly one sends."""

from collections import Counter
from functools import partial
from uuid import uuid4

import pytest

from antiphon.http import Request
from antiphon.store.idempotency import IdempotencyRecords
from infra.local import transactions
from tests.support import races, waiting
from tests.support.dynamo import held

CALLERS, ROUNDS = 64, 20
ONE_EACH = dict.fromkeys(range(ROUNDS), 1)


@pytest.fixture
def url():
    """A server of this test alone: whoever plays AWS in this process forgets its tables."""
    with races.endpoint() as address:
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
    return [number for number in range(ROUNDS) if wins(table, number)]


def test_of_64_threads_one_sends():
    transactions.install()  # moto's own writes are not made for threads
    with held(stream=False) as dynamo:
        for number in range(ROUNDS):
            assert sum(waiting.race(partial(wins, dynamo.table, number), CALLERS)) == 1


def test_of_16_threads_in_each_of_4_processes_one_sends(url):
    assert races.PROCESSES * races.THREADS == CALLERS
    assert Counter(number for rounds in races.run(url, come) for number in rounds) == ONE_EACH
