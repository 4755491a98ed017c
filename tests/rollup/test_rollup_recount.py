"""What the stream did not count is found by the marks, and counted once."""

import time
from dataclasses import replace

import pytest

from antiphon.rollup.recount import NOT_POLLED, Recount
from antiphon.settings.config import Config
from antiphon.store.queue import PollResponse
from antiphon.store.storage import FILES
from tests.support.dynamodb import START_MS
from tests.support.usage import (
    COMPLETED,
    TARGETS,
    UNKNOWN,
    begin_response,
    complete_response,
    make_usage,
)

SINCE = START_MS / 1000


@pytest.fixture
def recount(counted):
    return Recount.from_config(counted.table, counted.dynamo.batch, Config(targets=TARGETS))


def run(recount, tenant="acme", since=SINCE):
    """Repair everything; return how many links were not counted, and not polled."""
    pages = [*recount.pages(tenant, since)]
    for page in pages:
        recount.repair(page)
    return sum(len(page.uncounted) for page in pages), sum(len(page.unpolled) for page in pages)


def test_lost_changes_are_counted_once_and_a_late_stream_adds_nothing(counted, recount):
    for _ in range(3):
        complete_response(counted, begin_response(counted))
    compaction = counted.make_link(
        kind="compaction", status="completed", model="gpt-5", usage=make_usage()
    )
    counted.links.put(compaction)
    lost = counted.dynamo.stream_records()
    assert run(recount) == (4, 0)
    expected = {name: 4 * number for name, number in COMPLETED.items()}
    assert counted.total() == expected
    assert run(recount) == (0, 0)
    counted.run_rollup(lost)
    assert counted.total() == expected


def test_what_is_counted_is_only_read(counted, recount):
    complete_response(counted, begin_response(counted))
    counted.run_rollup()
    with counted.dynamo.count_calls() as calls:
        assert run(recount) == (0, 0)
    assert {*calls} == {"BatchGetItem", "Query"}


def test_a_lost_correction_replaces_what_was_counted(counted, recount):
    new = begin_response(counted)
    counted.links.change(new, unfinished="given up: still running")
    counted.run_rollup()
    assert counted.total() == UNKNOWN
    complete_response(counted, new, unfinished=None)
    assert run(recount) == (1, 0)
    assert counted.total() == COMPLETED


def test_lost_files_and_containers_are_counted(counted, recount):
    for kind in ("file", "container"):
        counted.links.put(counted.make_link(kind=kind, id=f"{kind}_1", status="active"))
    assert run(recount) == (3, 0)  # a container also has minutes
    assert counted.storage.read("acme", time.time()).counts[FILES] == 1
    assert counted.total() == {"estimated_container_minutes": 20}
    assert run(recount) == (0, 0)


def test_only_the_links_of_the_tenant_and_since_the_time_are_counted(counted, recount):
    for more in ({}, {"tenant": "umbra"}, {}):
        complete_response(counted, begin_response(counted, **more))
    assert run(recount, since=SINCE + 1) == (1, 0)
    assert (counted.total(), counted.total("umbra")) == (COMPLETED, {})


def test_a_response_that_is_not_polled_any_more_is_polled_again_once(counted, recount):
    old = begin_response(counted)
    counted.dynamo.stream_records()  # the change that would have started the polling is lost
    assert run(recount) == (0, 1)
    assert run(recount) == (0, 0)
    counted.run_rollup()
    [poll] = counted.dynamo.queue
    assert replace(poll, since=0) == PollResponse("acme", old.id, since=0)


def test_a_response_that_may_still_be_polled_is_left_alone(counted, recount):
    new = begin_response(counted, created_ms=int(time.time() * 1000))
    assert run(recount) == (0, 0)
    assert counted.links.find("response", "acme", new.id) == new


def test_a_response_that_cannot_be_polled_is_counted_as_unknown(counted, recount):
    new = begin_response(counted, store=False)
    assert run(recount) == (0, 1)
    assert counted.links.find("response", "acme", new.id).unfinished == NOT_POLLED
    assert run(recount) == (1, 0)
    assert counted.total() == UNKNOWN
