"""The rollup counts each response once, when its end is known."""

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
)


def test_a_response_is_counted_when_it_has_ended(counted):
    new = begin_response(counted)
    assert counted.run_rollup() == []
    assert counted.sums() == []
    complete_response(counted, new)
    assert counted.run_rollup() == []
    [sum] = counted.sums()
    assert (sum.tenant, sum.day) == ("acme", "2023-11-14")  # the day of START_MS
    assert (sum.model, sum.target, sum.key_id) == ("gpt-5", "openai", "key_1")
    assert nonzero_counts(sum) == COMPLETED


def test_a_response_that_is_complete_at_once_is_counted_at_once(counted):
    begin_response(counted, status="completed", usage=make_usage())
    counted.run_rollup()
    assert counted.total() == COMPLETED


@pytest.mark.parametrize("status", ["completed", "failed", "incomplete", "cancelled"])
@pytest.mark.parametrize("usage", [None, make_usage(cached=400, reasoning=60)])
def test_each_final_status_is_counted_with_the_usage_of_the_provider(counted, status, usage):
    complete_response(counted, begin_response(counted), status=status, usage=usage)
    counted.run_rollup()
    expected = {"requests": 1, status: 1, "unmetered": 1}
    if usage:
        expected = {
            **COMPLETED,
            "cached_tokens": 400,
            "reasoning_tokens": 60,
            COST_PICODOLLARS: 1_800_000_000,
        }
        del expected["completed"]
        expected[status] = 1
    assert counted.total() == expected


@pytest.mark.parametrize("reason", ["gone", "given up: upstream_auth"])
def test_a_response_that_is_not_polled_any_more_has_an_unknown_end(counted, reason):
    new = begin_response(counted)
    counted.links.change(new, unfinished="cut")
    counted.run_rollup()
    assert counted.sums() == []
    counted.links.change(new, unfinished=reason)
    counted.run_rollup()
    assert counted.total() == UNKNOWN


def test_a_cut_response_that_is_not_stored_has_an_unknown_end_at_once(counted):
    new = begin_response(counted, store=False)
    counted.run_rollup()
    assert counted.sums() == []
    counted.links.change(new, unfinished="cut")
    counted.run_rollup()
    assert counted.total() == UNKNOWN


def test_a_cut_response_is_counted_once_when_it_is_settled(counted):
    new = begin_response(counted)
    counted.links.change(new, unfinished="cut")
    counted.run_rollup()
    assert counted.sums() == []
    complete_response(counted, new, unfinished=None)
    counted.links.change(new, metadata={"late": "yes"})
    counted.run_rollup()
    assert counted.total() == COMPLETED


def test_a_response_deleted_before_its_end_is_counted_and_corrected_later(counted):
    new = begin_response(counted)
    counted.delete_link(new)
    counted.run_rollup()
    assert counted.total() == UNKNOWN
    complete_response(counted, new)
    counted.run_rollup()
    assert counted.total() == COMPLETED


def test_a_response_that_was_given_up_is_corrected_when_its_end_is_known(counted):
    new = begin_response(counted)
    counted.links.change(new, unfinished="given up: still running")
    counted.run_rollup()
    complete_response(counted, new, unfinished=None)
    records = counted.dynamo.stream_records()
    counted.run_rollup(records)
    counted.run_rollup(records)
    assert counted.total() == COMPLETED


def test_a_response_is_counted_when_its_link_expires_before_its_end_is_known(counted):
    new = begin_response(counted)
    counted.run_rollup()
    counted.expire(new)
    counted.run_rollup()
    assert counted.total() == UNKNOWN


def test_a_link_that_is_removed_before_its_records_arrive_is_counted_by_its_last_state(counted):
    """The record of its removal does not arrive where the response has ended."""
    new = begin_response(counted)
    complete_response(counted, new)
    counted.expire(new)
    begun, *ended, removed = counted.dynamo.stream_records()
    counted.run_rollup([begun])
    assert counted.sums() == []  # its link is not in the table any more
    for records in (ended, ended, [begun, *ended, removed]):
        counted.run_rollup(records)
        assert counted.total() == COMPLETED


def test_a_link_without_an_end_that_is_removed_early_is_counted_by_its_removal(counted):
    new = begin_response(counted)
    counted.links.change(new, unfinished="cut")
    counted.expire(new)
    *changed, removed = counted.dynamo.stream_records()
    counted.run_rollup(changed)
    assert counted.sums() == []
    counted.run_rollup([removed])
    assert counted.total() == UNKNOWN


def test_the_removal_of_a_counted_link_adds_nothing(counted):
    new = begin_response(counted)
    complete_response(counted, new)
    counted.run_rollup()
    counted.expire(new)
    counted.run_rollup()
    assert counted.total() == COMPLETED


def test_a_deferred_link_is_counted_when_it_is_written(counted):
    new = counted.make_link(status="completed", model="gpt-5", usage=make_usage())
    counted.links.restore(new)
    counted.links.restore(new)
    counted.run_rollup()
    assert counted.total() == COMPLETED


def test_a_link_that_is_written_again_is_not_counted_again(counted):
    """botocore repeats a put if it got no response to the first one."""
    new = begin_response(counted, status="completed", usage=make_usage())
    counted.run_rollup()
    counted.links.put(new)
    counted.links.put(replace(new, metadata={"a": "b"}))
    counted.run_rollup()
    assert counted.total() == COMPLETED


def test_compactions_are_counted_like_responses_and_conversations_are_not(counted):
    counted.links.put(counted.make_link(kind="conversation", id="conv_1", status="active"))
    new = counted.make_link(
        kind="compaction", status="completed", model="gpt-5", usage=make_usage()
    )
    counted.links.put(new)
    counted.run_rollup()
    assert counted.total() == COMPLETED
    assert counted.links.get("response", "acme", new.id) is None
