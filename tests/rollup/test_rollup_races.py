"""Responses are counted once by concurrent callers and with a table that fails."""

import pytest

from antiphon.store.usage import COST_PICODOLLARS
from tests.support.aws import cancel_transaction, lose_response
from tests.support.usage import make_usage

CALLERS = 64


def put_completed(counted, **more):
    new = counted.make_link(status="completed", model="gpt-5", usage=make_usage(), **more)
    counted.links.put(new)
    return new


def test_of_64_callers_with_the_same_record_one_counts_it(counted):
    put_completed(counted)
    records = counted.dynamo.stream_records()
    assert counted.run_at_once([records] * CALLERS) == []
    assert counted.total()["requests"] == 1
    assert counted.total()[COST_PICODOLLARS] == 2_250_000_000


def test_64_callers_count_64_responses_into_one_sum(counted):
    for _ in range(CALLERS):
        put_completed(counted)
    records = counted.dynamo.stream_records()
    assert counted.run_at_once([[record] for record in records]) == []
    total = counted.total()
    assert (total["requests"], total["input_tokens"]) == (64, 64_000)
    assert total[COST_PICODOLLARS] == 64 * 2_250_000_000


def test_a_correction_by_many_callers_is_made_once(counted):
    new = counted.make_link(status="in_progress", model="gpt-5")
    counted.links.put(new)
    counted.links.change(new, unfinished="given up: still running")
    first = counted.dynamo.stream_records()
    counted.run_rollup(first)
    counted.links.change(new, status="completed", usage=make_usage(), unfinished=None)
    records = [*first, *counted.dynamo.stream_records()]
    assert counted.run_at_once([records] * 16) == []
    total = counted.total()
    assert (total["requests"], total["completed"]) == (1, 1)
    assert "unknown" not in total
    assert total[COST_PICODOLLARS] == 2_250_000_000


def test_a_newer_count_of_another_caller_is_not_undone(counted):
    """While an old record is processed again, another caller counts a newer change."""
    new = counted.make_link(status="in_progress", model="gpt-5")
    counted.links.put(new)
    counted.delete_link(new)
    counted.run_rollup()
    counted.links.change(new, status="completed", usage=make_usage())
    old = counted.dynamo.stream_records()
    counted.run_rollup(old)

    def count_newer(params, **_):
        if params["Key"]["sk"] == {"S": "COUNTED"}:
            events.unregister(hook, unique_id="count_newer")
            counted.links.change(new, service_tier="flex")
            assert counted.run_rollup() == []

    events, hook = counted.dynamo.client.meta.events, "provide-client-params.dynamodb.GetItem"
    events.register(hook, count_newer, "count_newer")
    assert counted.run_rollup([old[-1]]) == []
    assert counted.total()[COST_PICODOLLARS] == 1_125_000_000


class FailTransactions:
    """Cancels a number of transactions, as DynamoDB does where another one is in progress."""

    def __init__(self, times, code):
        self.left = times
        self._fault = cancel_transaction("None", code)

    def __call__(self, request, **_):
        if self.left == 0:
            return None
        self.left -= 1
        return self._fault(request)


HOOK = "before-send.dynamodb.TransactWriteItems"


@pytest.mark.parametrize("code", ["TransactionConflict", "ThrottlingError"])
def test_a_conflicting_transaction_is_repeated(counted, code):
    put_completed(counted)
    counted.dynamo.client.meta.events.register_first(HOOK, FailTransactions(5, code))
    assert counted.run_rollup() == []
    assert counted.total()["requests"] == 1


def test_too_many_conflicts_fail_the_record(counted):
    put_completed(counted)
    records = counted.dynamo.stream_records()
    fault = FailTransactions(1000, "TransactionConflict")
    counted.dynamo.client.meta.events.register_first(HOOK, fault)
    assert counted.run_rollup(records) == [
        {"itemIdentifier": records[0]["dynamodb"]["SequenceNumber"]}
    ]
    fault.left = 0
    assert counted.run_rollup(records) == []
    assert counted.total()["requests"] == 1


def test_a_write_with_a_lost_response_is_not_made_twice(counted):
    """The write succeeds, but the client gets no response and repeats it."""
    put_completed(counted)
    lost = []

    def lose(request, **_):
        lost.append(request)
        return lose_response(request) if len(lost) == 1 else None

    counted.dynamo.client.meta.events.register_first(HOOK, lose)
    assert counted.run_rollup() == []
    assert len(lost) > 1
    assert counted.total()["requests"] == 1
