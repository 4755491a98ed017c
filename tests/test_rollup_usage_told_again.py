"""The table's stream, told late, twice, or in pieces: what is counted stays counted once."""

import itertools
import random

import pytest

from antiphon.store.usage import COST_PICODOLLARS
from tests.support.dynamo import link
from tests.support.spending import DONE, begun, counting, done


@pytest.fixture
def counted():
    with counting() as table:
        yield table


def story(counted):
    """Links that live through all there is; the total they come to."""
    counted.links.put(link(kind="conversation", status="active"))
    first, cut, deleted, given_up, expired, whole = (begun(counted) for _ in range(6))
    counted.links.change(cut, unfinished="cut")
    counted.links.mark_deleted(deleted)
    counted.links.change(given_up, unfinished="given up: still running")
    done(counted, whole, metadata={"a": "b"})
    done(counted, cut, unfinished=None, status="incomplete")
    done(counted, given_up, unfinished=None, status="failed", usage=None)
    counted.links.change(whole, metadata={"a": "c"})
    done(counted, first)
    counted.links.mark_deleted(first)
    counted.gone(expired)
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
    assert counted.roll() == []
    assert counted.total() == expected


def test_what_is_told_again_changes_nothing_at_all(counted):
    story(counted)
    told = counted.dynamo.records()
    counted.roll(told)
    before = counted.rows()
    counted.roll(told)
    counted.roll(told[3:])
    counted.roll([record for record in told for _ in range(3)])
    assert counted.rows() == before


@pytest.mark.parametrize("seed", range(4))
def test_the_order_of_different_links_and_the_cut_of_batches_do_not_matter(counted, seed):
    """Changes of one link keep their order; those of different links come as they will."""
    expected = story(counted)
    chance = random.Random(seed)  # noqa: S311  no secret
    for record in shuffled(counted.dynamo.records(), chance):
        assert counted.roll([record]) == []
        if chance.random() < 0.3:
            counted.roll([record])
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
    new = begun(counted)
    counted.links.change(new, unfinished="given up: still running")
    done(counted, new, unfinished=None)
    told = counted.dynamo.records()
    for order in itertools.permutations(told):
        assert counted.roll(order) == []
        assert counted.total() == DONE


def test_its_own_rows_are_none_of_its_business(counted):
    done(counted, begun(counted))
    counted.roll()
    own = counted.dynamo.records()
    assert {record["dynamodb"]["Keys"]["sk"]["S"] for record in own} >= {"COUNTED"}
    with counted.dynamo.counted() as calls:
        counted.roll(own)
    assert calls == []


def test_a_response_costs_a_read_and_a_transaction(counted):
    new = begun(counted)
    begins = counted.dynamo.records()
    with counted.dynamo.counted() as calls:
        counted.roll(begins)
    assert calls == []
    done(counted, new)
    told = counted.dynamo.records()
    with counted.dynamo.counted() as calls:
        counted.roll(told)
    assert calls == ["GetItem", "TransactWriteItems"]
