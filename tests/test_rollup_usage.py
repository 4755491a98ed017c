"""The sums, by the rollup's handler: each response is counted once, when its end is known."""

from dataclasses import replace

import pytest

from antiphon.store.usage import COST_PICODOLLARS
from tests.support.usage import (
    COMPLETED,
    UNKNOWN,
    begin_response,
    complete_response,
    make_usage,
    nonzero_counts,
    usage_store,
)


@pytest.fixture
def counted():
    with usage_store() as table:
        yield table


def test_a_response_is_counted_when_it_has_ended(counted):
    new = begin_response(counted)
    assert counted.run_rollup() == []
    assert counted.sums() == []
    complete_response(counted, new)
    assert counted.run_rollup() == []
    [sum] = counted.sums()
    assert (sum.tenant, sum.day) == ("acme", "2023-11-14")  # on which the clock of links stands
    assert (sum.model, sum.target, sum.key_id) == ("gpt-5", "openai", "key_1")
    assert nonzero_counts(sum) == COMPLETED


def test_one_that_is_whole_at_once_is_counted_at_once(counted):
    begin_response(counted, status="completed", usage=make_usage())
    counted.run_rollup()
    assert counted.total() == COMPLETED


@pytest.mark.parametrize("status", ["completed", "failed", "incomplete", "cancelled"])
@pytest.mark.parametrize("used", [None, make_usage(cached=400, reasoning=60)])
def test_every_end_is_counted_by_its_name_and_with_what_the_provider_told(counted, status, used):
    complete_response(counted, begin_response(counted), status=status, usage=used)
    counted.run_rollup()
    expected = {"requests": 1, status: 1, "unmetered": 1}
    if used:
        expected = {
            **COMPLETED,
            "cached_tokens": 400,
            "reasoning_tokens": 60,
            COST_PICODOLLARS: 1_800_000_000,
        }
        del expected["completed"]
        expected[status] = 1
    assert counted.total() == expected


@pytest.mark.parametrize("why", ["gone", "given up: upstream_auth"])
def test_one_that_nobody_asks_after_any_more_has_an_unknown_end(counted, why):
    new = begin_response(counted)
    counted.links.change(new, unfinished="cut")
    counted.run_rollup()
    assert counted.sums() == []
    counted.links.change(new, unfinished=why)
    counted.run_rollup()
    assert counted.total() == UNKNOWN


def test_one_that_is_cut_and_not_kept_has_an_unknown_end_at_once(counted):
    new = begin_response(counted, store=False)
    counted.run_rollup()
    assert counted.sums() == []
    counted.links.change(new, unfinished="cut")
    counted.run_rollup()
    assert counted.total() == UNKNOWN


def test_a_cut_one_is_counted_once_when_it_is_settled(counted):
    new = begin_response(counted)
    counted.links.change(new, unfinished="cut")
    counted.run_rollup()
    assert counted.sums() == []
    complete_response(counted, new, unfinished=None)
    counted.links.change(new, metadata={"late": "yes"})
    counted.run_rollup()
    assert counted.total() == COMPLETED


def test_one_that_is_deleted_on_its_way_is_counted_and_corrected_by_its_end(counted):
    new = begin_response(counted)
    counted.links.mark_deleted(new)
    counted.run_rollup()
    assert counted.total() == UNKNOWN
    complete_response(counted, new)
    counted.run_rollup()
    assert counted.total() == COMPLETED


def test_one_that_was_given_up_is_corrected_once_it_is_known_after_all(counted):
    new = begin_response(counted)
    counted.links.change(new, unfinished="given up: still running")
    counted.run_rollup()
    complete_response(counted, new, unfinished=None)
    told = counted.dynamo.stream_records()
    counted.run_rollup(told)
    counted.run_rollup(told)
    assert counted.total() == COMPLETED


def test_one_whose_link_expires_before_its_end_is_known_is_counted_then(counted):
    new = begin_response(counted)
    counted.run_rollup()
    counted.expire(new)
    counted.run_rollup()
    assert counted.total() == UNKNOWN


def test_a_link_that_is_gone_before_it_was_told_of_is_counted_by_its_last_state(counted):
    new = begin_response(counted)
    complete_response(counted, new)
    counted.expire(new)
    told = counted.dynamo.stream_records()
    for record in told[:-1]:
        counted.run_rollup([record])
        assert counted.sums() == []  # it is not there to be looked at
    counted.run_rollup(told)
    assert counted.total() == COMPLETED
    counted.run_rollup(told)
    assert counted.total() == COMPLETED


def test_the_end_of_a_link_that_was_counted_adds_nothing(counted):
    new = begin_response(counted)
    complete_response(counted, new)
    counted.run_rollup()
    counted.expire(new)
    counted.run_rollup()
    assert counted.total() == COMPLETED


def test_a_late_link_is_counted_when_it_is_written(counted):
    new = counted.make_link(status="completed", model="gpt-5", usage=make_usage())
    counted.links.restore(new)
    counted.links.restore(new)
    counted.run_rollup()
    assert counted.total() == COMPLETED


def test_a_link_that_is_put_again_is_not_counted_again(counted):
    """As botocore does where it has not heard that the first put was done."""
    new = begin_response(counted, status="completed", usage=make_usage())
    counted.run_rollup()
    counted.links.put(new)
    counted.links.put(replace(new, metadata={"a": "b"}))
    counted.run_rollup()
    assert counted.total() == COMPLETED


def test_compactions_count_as_responses_do_and_conversations_do_not(counted):
    counted.links.put(counted.make_link(kind="conversation", id="conv_1", status="active"))
    new = counted.make_link(
        kind="compaction", status="completed", model="gpt-5", usage=make_usage()
    )
    counted.links.put(new)
    counted.run_rollup()
    assert counted.total() == COMPLETED
    assert counted.links.get("response", "acme", new.id) is None
