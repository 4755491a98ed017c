"""The metadata index under late, repeated and reordered stream records."""

import itertools
from dataclasses import replace


def put_link(store, **metadata):
    new = store.make_link(metadata=metadata)
    store.links.put(new)
    return new


def test_a_new_link_has_an_index_row_for_each_pair(store):
    new = put_link(store, team="blue", run="1")
    assert store.run_rollup() == []
    places = [sort for _, sort in store.metadata_index_keys()]
    assert places == [f"{new.created_ms}#{new.id}"] * 2


def test_changed_metadata_replaces_the_row(store):
    new = put_link(store, team="blue", run="1")
    store.run_rollup()
    before = store.metadata_index_keys()
    store.links.change(new, metadata={"team": "red", "run": "1"})
    store.run_rollup()
    assert len(store.metadata_index_keys()) == 2
    assert len(set(store.metadata_index_keys()) & set(before)) == 1


def test_index_rows_expire_with_their_link(store):
    new = put_link(store, team="blue")
    store.run_rollup()
    store.links.change(new, expires_at=new.expires_at + 60)
    store.run_rollup()
    row = store.table.get(*store.metadata_index_keys()[0])
    assert row["expires_at"] == new.expires_at + 60


def test_deleted_links_leave_the_index(store):
    marked, gone = put_link(store, team="blue"), put_link(store, team="blue")
    store.run_rollup()
    assert len(store.metadata_index_keys()) == 2
    store.delete_link(marked)
    store.table.delete(f"T#acme#R#{gone.id}", "LINK")
    assert store.run_rollup() == []
    assert store.metadata_index_keys() == []


def test_changes_of_other_attributes_make_no_calls(store):
    new = put_link(store, team="blue")
    bare = put_link(store)
    store.run_rollup()
    store.links.change(new, status="completed", usage={"total_tokens": 7})
    store.links.change(bare, status="failed")
    records = [
        record
        for record in store.stream_records()
        if record["dynamodb"]["Keys"]["sk"]["S"] == "LINK"
    ]
    assert len(records) == 2
    with store.count_calls() as calls:
        store.run_rollup(records)
    assert calls == []


def test_rows_that_are_no_links_are_ignored(store):
    store.table.put({"pk": "K#1", "sk": "KEY", "tenant": "acme", "metadata": {"team": "blue"}})
    put_link(store, team="blue")
    store.run_rollup()
    assert store.run_rollup() == []  # of the index itself
    assert len(store.metadata_index_keys()) == 1


def test_repeated_records_in_any_order_change_nothing(store):
    new = put_link(store, team="blue", run="1")
    store.links.change(new, metadata={"team": "red", "run": "1"})
    store.links.change(new, metadata={"team": "blue"})
    other = put_link(store, team="blue")
    store.delete_link(other)
    records = store.stream_records()
    assert store.run_rollup(records) == []
    expected = store.metadata_index_keys()
    assert [sort for _, sort in expected] == [f"{new.created_ms}#{new.id}"]
    for order in itertools.islice(itertools.permutations(records), 0, None, 7):
        assert store.run_rollup(order) == []
        assert store.metadata_index_keys() == expected


def test_each_record_alone_updates_the_index(store):
    new = put_link(store, team="blue")
    store.links.change(new, metadata={"team": "red"})
    records = store.stream_records()
    for record in records:
        store.run_rollup([record])
        page = store.metadata_index_keys()
        assert len(page) == 1
    assert store.metadata_index_keys() == page


def test_a_failed_record_stops_the_batch(store):
    first, second = put_link(store, team="blue"), put_link(store, team="blue")
    third = put_link(store, team="blue")
    records = store.stream_records()
    row = store.table.get(f"T#acme#R#{second.id}", "LINK")
    store.table.put({**row, "root": None})  # a link that cannot be read
    assert store.run_rollup(records) == [
        {"itemIdentifier": records[1]["dynamodb"]["SequenceNumber"]}
    ]
    assert [sort for _, sort in store.metadata_index_keys()] == [f"{first.created_ms}#{first.id}"]
    store.table.put(row)
    assert store.run_rollup(records[1:]) == []
    assert {sort for _, sort in store.metadata_index_keys()} == {
        f"{each.created_ms}#{each.id}" for each in (first, second, third)
    }


def test_a_table_that_does_not_answer_fails_the_record(store, monkeypatch):
    put_link(store, team="blue")
    records = store.stream_records()
    monkeypatch.setattr(store.batch, "_name", "another")
    assert store.run_rollup(records) == [
        {"itemIdentifier": records[0]["dynamodb"]["SequenceNumber"]}
    ]


def test_failures_are_logged_without_metadata(store, caplog, capfd):
    put_link(store, **{"marked-key": "marked-value"})
    records = store.stream_records()
    del records[0]["dynamodb"]["NewImage"]["root"]
    assert len(store.run_rollup(records)) == 1
    logged = caplog.text + "".join(capfd.readouterr())
    assert "change failed" in logged
    assert "marked" not in logged


def test_a_link_with_sixteen_pairs_has_all_its_rows_replaced(store):
    new = put_link(store, **{f"k{n}": "a" for n in range(16)})
    store.run_rollup()
    store.links.change(new, metadata={f"k{n}": "b" for n in range(16)})
    store.run_rollup()
    assert len(store.metadata_index_keys()) == 16
    store.delete_link(replace(new))
    store.run_rollup()
    assert store.metadata_index_keys() == []
