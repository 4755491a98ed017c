"""The table's stream, told late, twice, or in pieces: what is counted stays counted once."""

import itertools
import random

import pytest

from antiphon.store.usage import COST_PICODOLLARS
from tests.support.usage import COMPLETED, begin_response, complete_response, usage_store


@pytest.fixture
def counted():
    with usage_store() as table:
        yield table


def story(counted):
    """Links that live through all there is; the total they come to."""
    counted.links.put(counted.make_link(kind="conversation", status="active"))
    first, cut, deleted, given_up, expired, whole = (begin_response(counted) for _ in range(6))
    counted.links.change(cut, unfinished="cut")
    counted.links.mark_deleted(deleted)
    counted.links.change(given_up, unfinished="given up: still running")
    complete_response(counted, whole, metadata={"a": "b"})
    complete_response(counted, cut, unfinished=None, status="incomplete")
    complete_response(counted, given_up, unfinished=None, status="failed", usage=None)
    counted.links.change(whole, metadata={"a": "c"})
    complete_response(counted, first)
    counted.links.mark_deleted(first)
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
    expected = story(counted)
    assert counted.run_rollup() == []
    assert counted.total() == expected


def test_what_is_told_again_changes_nothing_at_all(counted):
    story(counted)
    told = counted.dynamo.stream_records()
    counted.run_rollup(told)
    before = counted.rows()
    counted.run_rollup(told)
    counted.run_rollup(told[3:])
    counted.run_rollup([record for record in told for _ in range(3)])
    assert counted.rows() == before


@pytest.mark.parametrize("seed", range(4))
def test_the_order_of_different_links_and_the_cut_of_batches_do_not_matter(counted, seed):
    """Changes of one link keep their order; those of different links come as they will."""
    expected = story(counted)
    chance = random.Random(seed)  # noqa: S311  no secret
    for record in shuffled(counted.dynamo.stream_records(), chance):
        assert counted.run_rollup([record]) == []
        if chance.random() < 0.3:
            counted.run_rollup([record])
    assert counted.total() == expected


def shuffled(told, chance):
    by_link = {}
    for record in told:
        by_link.setdefault(record["dynamodb"]["Keys"]["pk"]["S"], []).append(record)
    waiting = list(by_link.values())
    while waiting:
        some = chance.choice(waiting)
        yield some.pop(0)
        if not some:
            waiting.remove(some)


def test_old_news_told_late_does_not_undo_what_is_known(counted):
    new = begin_response(counted)
    counted.links.change(new, unfinished="given up: still running")
    complete_response(counted, new, unfinished=None)
    told = counted.dynamo.stream_records()
    for order in itertools.permutations(told):
        assert counted.run_rollup(order) == []
        assert counted.total() == COMPLETED


def test_its_own_rows_are_none_of_its_business(counted):
    complete_response(counted, begin_response(counted))
    counted.run_rollup()
    own = counted.dynamo.stream_records()
    assert {record["dynamodb"]["Keys"]["sk"]["S"] for record in own} >= {"COUNTED"}
    with counted.dynamo.count_calls() as calls:
        counted.run_rollup(own)
    assert calls == []


def test_a_response_costs_a_read_and_a_transaction(counted):
    new = begin_response(counted)
    begins = counted.dynamo.stream_records()
    with counted.dynamo.count_calls() as calls:
        counted.run_rollup(begins)
    assert calls == []
    complete_response(counted, new)
    told = counted.dynamo.stream_records()
    with counted.dynamo.count_calls() as calls:
        counted.run_rollup(told)
    assert calls == ["GetItem", "TransactWriteItems"]
