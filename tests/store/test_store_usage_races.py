"""Many who count at the same time, and a table that fails: what is counted is counted once."""

import json
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from botocore.awsrequest import AWSResponse

from antiphon.store.usage import COST_PICODOLLARS
from tests.support.aws import lose_response
from tests.support.usage import make_usage, usage_store

CALLERS = 64


@pytest.fixture
def counted():
    with usage_store() as table:
        yield table


def ended(counted, **more):
    new = counted.make_link(status="completed", model="gpt-5", usage=make_usage(), **more)
    counted.links.put(new)
    return new


def at_once(counted, batches):
    """Give each caller its records at the same moment; gives all failures."""
    gate = threading.Barrier(len(batches))

    def call(records):
        gate.wait()
        return counted.run_rollup(records)

    with ThreadPoolExecutor(len(batches)) as callers:
        return [failure for failures in callers.map(call, batches) for failure in failures]


def test_of_64_who_are_told_of_the_same_response_one_counts_it(counted):
    ended(counted)
    told = counted.dynamo.stream_records()
    assert at_once(counted, [told] * CALLERS) == []
    assert counted.total()["requests"] == 1
    assert counted.total()[COST_PICODOLLARS] == 2_250_000_000


def test_64_responses_that_64_count_into_one_sum_are_64(counted):
    for _ in range(CALLERS):
        ended(counted)
    told = counted.dynamo.stream_records()
    assert at_once(counted, [[record] for record in told]) == []
    total = counted.total()
    assert (total["requests"], total["input_tokens"]) == (64, 64_000)
    assert total[COST_PICODOLLARS] == 64 * 2_250_000_000


def test_a_correction_that_many_make_is_made_once(counted):
    new = counted.make_link(status="in_progress", model="gpt-5")
    counted.links.put(new)
    counted.links.change(new, unfinished="given up: still running")
    first = counted.dynamo.stream_records()
    counted.run_rollup(first)
    counted.links.change(new, status="completed", usage=make_usage(), unfinished=None)
    told = [*first, *counted.dynamo.stream_records()]
    assert at_once(counted, [told] * 16) == []
    total = counted.total()
    assert (total["requests"], total["completed"]) == (1, 1)
    assert "unknown" not in total
    assert total[COST_PICODOLLARS] == 2_250_000_000


def test_what_another_counts_in_between_is_not_undone(counted):
    """An old change is looked at again, and just then another counts a newer one."""
    new = counted.make_link(status="in_progress", model="gpt-5")
    counted.links.put(new)
    counted.links.mark_deleted(new)
    counted.run_rollup()
    counted.links.change(new, status="completed", usage=make_usage())
    old = counted.dynamo.stream_records()
    counted.run_rollup(old)

    def another(params, **_):
        if params["Key"]["sk"] == {"S": "COUNTED"}:
            events.unregister(hook, unique_id="another")
            counted.links.change(new, service_tier="flex")
            assert counted.run_rollup() == []

    events, hook = counted.dynamo.client.meta.events, "provide-client-params.dynamodb.GetItem"
    events.register(hook, another, "another")
    assert counted.run_rollup([old[-1]]) == []
    assert counted.total()[COST_PICODOLLARS] == 1_125_000_000


class Cancelled:
    """DynamoDB's word that another transaction was at work, for so many times."""

    def __init__(self, times, code):
        self.left = times
        kind = "com.amazonaws.dynamodb.v20120810#TransactionCanceledException"
        reasons = [{"Code": "None"}, {"Code": code}]
        self._body = json.dumps({"__type": kind, "CancellationReasons": reasons}).encode()

    def __call__(self, request, **_):
        if self.left == 0:
            return None
        self.left -= 1
        return AWSResponse(request.url, 400, {}, self)

    def stream(self, **_):
        return iter([self._body])


HOOK = "before-send.dynamodb.TransactWriteItems"


@pytest.mark.parametrize("code", ["TransactionConflict", "ThrottlingError"])
def test_a_conflict_is_tried_again(counted, code):
    ended(counted)
    counted.dynamo.client.meta.events.register_first(HOOK, Cancelled(5, code))
    assert counted.run_rollup() == []
    assert counted.total()["requests"] == 1


def test_conflicts_without_end_leave_it_to_a_later_try(counted):
    ended(counted)
    told = counted.dynamo.stream_records()
    fault = Cancelled(1000, "TransactionConflict")
    counted.dynamo.client.meta.events.register_first(HOOK, fault)
    assert counted.run_rollup(told) == [{"itemIdentifier": told[0]["dynamodb"]["SequenceNumber"]}]
    fault.left = 0
    assert counted.run_rollup(told) == []
    assert counted.total()["requests"] == 1


def test_a_write_whose_answer_is_lost_is_not_made_twice(counted):
    """It is done, but nobody hears so, and the client sends it again by itself."""
    ended(counted)
    lost = []

    def lose(request, **_):
        lost.append(request)
        return lose_response(request) if len(lost) == 1 else None

    counted.dynamo.client.meta.events.register_first(HOOK, lose)
    assert counted.run_rollup() == []
    assert len(lost) > 1
    assert counted.total()["requests"] == 1
