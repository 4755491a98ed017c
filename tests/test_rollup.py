"""The table's stream, as the rollup function sees it: told late, twice, or in the wrong order."""

import itertools
from dataclasses import replace

import pytest

from tests.support.dynamodb import embedded_store


@pytest.fixture
def dynamo():
    with embedded_store() as table:
        yield table


def made(dynamo, **metadata):
    new = dynamo.make_link(metadata=metadata)
    dynamo.links.put(new)
    return new


def test_a_new_link_is_indexed_by_each_of_its_pairs(dynamo):
    new = made(dynamo, team="blue", run="1")
    assert dynamo.run_rollup() == []
    places = [sort for _, sort in dynamo.metadata_index_keys()]
    assert places == [f"{new.created_ms}#{new.id}"] * 2


def test_changed_metadata_moves_the_row(dynamo):
    new = made(dynamo, team="blue", run="1")
    dynamo.run_rollup()
    before = dynamo.metadata_index_keys()
    dynamo.links.change(new, metadata={"team": "red", "run": "1"})
    dynamo.run_rollup()
    assert len(dynamo.metadata_index_keys()) == 2
    assert len(set(dynamo.metadata_index_keys()) & set(before)) == 1


def test_a_later_end_is_the_rows_end_too(dynamo):
    new = made(dynamo, team="blue")
    dynamo.run_rollup()
    dynamo.links.change(new, expires_at=new.expires_at + 60)
    dynamo.run_rollup()
    row = dynamo.table.get(*dynamo.metadata_index_keys()[0])
    assert row["expires_at"] == new.expires_at + 60


def test_deleted_links_leave_the_index(dynamo):
    marked, gone = made(dynamo, team="blue"), made(dynamo, team="blue")
    dynamo.run_rollup()
    assert len(dynamo.metadata_index_keys()) == 2
    dynamo.links.mark_deleted(marked)
    dynamo.table.delete(f"T#acme#R#{gone.id}", "LINK")
    assert dynamo.run_rollup() == []
    assert dynamo.metadata_index_keys() == []


def test_a_change_of_no_metadata_costs_nothing(dynamo):
    new = made(dynamo, team="blue")
    bare = made(dynamo)
    dynamo.run_rollup()
    dynamo.links.change(new, status="completed", usage={"total_tokens": 7})
    dynamo.links.change(bare, status="failed")
    told = [
        record
        for record in dynamo.stream_records()
        if record["dynamodb"]["Keys"]["sk"]["S"] == "LINK"
    ]
    assert len(told) == 2
    with dynamo.count_calls() as calls:
        dynamo.run_rollup(told)
    assert calls == []


def test_rows_that_are_no_links_are_passed_over(dynamo):
    dynamo.table.put({"pk": "K#1", "sk": "KEY", "tenant": "acme", "metadata": {"team": "blue"}})
    made(dynamo, team="blue")
    dynamo.run_rollup()
    assert dynamo.run_rollup() == []  # of the index itself
    assert len(dynamo.metadata_index_keys()) == 1


def test_whatever_is_told_again_in_any_order_changes_nothing(dynamo):
    new = made(dynamo, team="blue", run="1")
    dynamo.links.change(new, metadata={"team": "red", "run": "1"})
    dynamo.links.change(new, metadata={"team": "blue"})
    other = made(dynamo, team="blue")
    dynamo.links.mark_deleted(other)
    told = dynamo.stream_records()
    assert dynamo.run_rollup(told) == []
    expected = dynamo.metadata_index_keys()
    assert [sort for _, sort in expected] == [f"{new.created_ms}#{new.id}"]
    for order in itertools.islice(itertools.permutations(told), 0, None, 7):
        assert dynamo.run_rollup(order) == []
        assert dynamo.metadata_index_keys() == expected


def test_each_record_alone_brings_the_index_in_step(dynamo):
    new = made(dynamo, team="blue")
    dynamo.links.change(new, metadata={"team": "red"})
    told = dynamo.stream_records()
    for record in told:
        dynamo.run_rollup([record])
        page = dynamo.metadata_index_keys()
        assert len(page) == 1
    assert dynamo.metadata_index_keys() == page


def test_a_failed_record_is_named_and_those_behind_it_wait(dynamo):
    first, second = made(dynamo, team="blue"), made(dynamo, team="blue")
    third = made(dynamo, team="blue")
    told = dynamo.stream_records()
    row = dynamo.table.get(f"T#acme#R#{second.id}", "LINK")
    dynamo.table.put({**row, "root": None})  # a link that cannot be read
    assert dynamo.run_rollup(told) == [{"itemIdentifier": told[1]["dynamodb"]["SequenceNumber"]}]
    assert [sort for _, sort in dynamo.metadata_index_keys()] == [f"{first.created_ms}#{first.id}"]
    dynamo.table.put(row)
    assert dynamo.run_rollup(told[1:]) == []
    assert {sort for _, sort in dynamo.metadata_index_keys()} == {
        f"{each.created_ms}#{each.id}" for each in (first, second, third)
    }


def test_a_table_out_of_reach_is_tried_again_later(dynamo, monkeypatch):
    made(dynamo, team="blue")
    told = dynamo.stream_records()
    monkeypatch.setattr(dynamo.batch, "_name", "another")
    assert dynamo.run_rollup(told) == [{"itemIdentifier": told[0]["dynamodb"]["SequenceNumber"]}]


def test_failures_are_logged_without_metadata(dynamo, caplog, capfd):
    made(dynamo, **{"marked-key": "marked-value"})
    told = dynamo.stream_records()
    del told[0]["dynamodb"]["NewImage"]["root"]
    assert len(dynamo.run_rollup(told)) == 1
    logged = caplog.text + "".join(capfd.readouterr())
    assert "change failed" in logged
    assert "marked" not in logged


def test_a_link_with_sixteen_pairs_moves_whole(dynamo):
    new = made(dynamo, **{f"k{n}": "a" for n in range(16)})
    dynamo.run_rollup()
    dynamo.links.change(new, metadata={f"k{n}": "b" for n in range(16)})
    dynamo.run_rollup()
    assert len(dynamo.metadata_index_keys()) == 16
    dynamo.links.mark_deleted(replace(new))
    dynamo.run_rollup()
    assert dynamo.metadata_index_keys() == []
