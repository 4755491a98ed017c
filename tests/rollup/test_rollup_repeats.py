"""Responses are counted once when stream records are late, repeated or in other batches."""

import itertools
import random

import pytest

from antiphon.store.usage import COST_PICODOLLARS
from tests.support.usage import COMPLETED, begin_response, complete_response


def write_links(counted):
    """Write links with all kinds of changes; return the total of their usage."""
    counted.links.put(counted.make_link(kind="conversation", status="active"))
    first, cut, deleted, given_up, expired, whole = (begin_response(counted) for _ in range(6))
    counted.links.change(cut, unfinished="cut")
    counted.delete_link(deleted)
    counted.links.change(given_up, unfinished="given up: still running")
    complete_response(counted, whole, metadata={"a": "b"})
    complete_response(counted, cut, unfinished=None, status="incomplete")
    complete_response(counted, given_up, unfinished=None, status="failed", usage=None)
    counted.links.change(whole, metadata={"a": "c"})
    complete_response(counted, first)
    counted.delete_link(first)
    counted.expire(expired)
    return {
        "requests": 6,
        "completed": 2,
        "incomplete": 1,
        "failed": 1,
        "unknown": 2,
        "unmetered": 3,
        "input_tokens": 3000,
        "output_tokens": 300,
        "total_tokens": 3300,
        COST_PICODOLLARS: 3 * 2_250_000_000,
    }


def test_the_sums_are_the_sum_of_the_parts(counted):
    expected = write_links(counted)
    assert counted.run_rollup() == []
    assert counted.total() == expected


def test_repeated_records_change_nothing(counted):
    write_links(counted)
    records = counted.dynamo.stream_records()
    counted.run_rollup(records)
    before = counted.rows()
    counted.run_rollup(records)
    counted.run_rollup(records[3:])
    counted.run_rollup([record for record in records for _ in range(3)])
    assert counted.rows() == before


@pytest.mark.parametrize("seed", range(4))
def test_the_order_of_different_links_and_the_size_of_batches_do_not_matter(counted, seed):
    """Only the changes of one link are in order."""
    expected = write_links(counted)
    rng = random.Random(seed)
    for record in shuffled(counted.dynamo.stream_records(), rng):
        assert counted.run_rollup([record]) == []
        if rng.random() < 0.3:
            counted.run_rollup([record])
    assert counted.total() == expected


def shuffled(records, rng):
    by_link = {}
    for record in records:
        by_link.setdefault(record["dynamodb"]["Keys"]["pk"]["S"], []).append(record)
    waiting = list(by_link.values())
    while waiting:
        queue = rng.choice(waiting)
        yield queue.pop(0)
        if not queue:
            waiting.remove(queue)


def test_late_records_do_not_undo_newer_ones(counted):
    new = begin_response(counted)
    counted.links.change(new, unfinished="given up: still running")
    complete_response(counted, new, unfinished=None)
    records = counted.dynamo.stream_records()
    for order in itertools.permutations(records):
        assert counted.run_rollup(order) == []
        assert counted.total() == COMPLETED


def test_records_of_its_own_rows_are_ignored(counted):
    complete_response(counted, begin_response(counted))
    counted.run_rollup()
    own = counted.dynamo.stream_records()
    assert {record["dynamodb"]["Keys"]["sk"]["S"] for record in own} >= {"COUNTED"}
    with counted.dynamo.count_calls() as calls:
        counted.run_rollup(own)
    assert calls == []


def test_a_response_is_counted_with_one_read_and_one_transaction(counted):
    new = begin_response(counted)
    first_records = counted.dynamo.stream_records()
    with counted.dynamo.count_calls() as calls:
        counted.run_rollup(first_records)
    assert calls == []
    complete_response(counted, new)
    records = counted.dynamo.stream_records()
    with counted.dynamo.count_calls() as calls:
        counted.run_rollup(records)
    assert calls == ["GetItem", "TransactWriteItems"]
