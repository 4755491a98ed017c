"""Values as DynamoDB stores them, conditional writes, queries and batches."""

from dataclasses import replace

import pytest

from antiphon.errors import Unavailable
from antiphon.store.dynamodb import (
    BatchTable,
    ConditionFailed,
    Query,
    Table,
    Update,
    from_attribute,
    marshal,
    to_attribute,
    unmarshal,
)
from infra.local.aws.resources import TABLE
from tests.support import aws

ROW = {"pk": "T#acme", "sk": "1", "number_of": 3}
UPDATE = Update(partition="a", sort="b", sets={"c": 1})


@pytest.mark.parametrize(
    ("value", "attribute"),
    [
        (None, {"NULL": True}),
        (True, {"BOOL": True}),
        ("é", {"S": "é"}),
        (-5, {"N": "-5"}),
        (10**20, {"N": "100000000000000000000"}),
        (0.1, {"N": "0.1"}),
        ([1, "a", None], {"L": [{"N": "1"}, {"S": "a"}, {"NULL": True}]}),
        ({"a": {"b": []}}, {"M": {"a": {"M": {"b": {"L": []}}}}}),
    ],
)
def test_values_are_converted_both_ways(value, attribute):
    assert to_attribute(value) == attribute
    assert from_attribute(attribute) == value
    assert type(from_attribute(attribute)) is type(value)


def test_attributes_that_are_none_are_not_written():
    assert unmarshal(marshal({"a": 1, "b": None})) == {"a": 1}


@pytest.mark.parametrize("value", [b"x", {1}, object()])
def test_other_types_are_refused(value):
    with pytest.raises(TypeError, match=f"of type {type(value).__name__}"):
        to_attribute(value)


def test_a_put_whose_condition_fails_returns_the_row(store):
    store.table.put(ROW, "attribute_not_exists(pk)")
    with pytest.raises(ConditionFailed) as caught:
        store.table.put({**ROW, "number_of": 4}, "attribute_not_exists(pk)")
    assert caught.value.item == ROW
    store.table.put({**ROW, "number_of": 4}, "number_of < :limit", limit=4)
    assert store.table.get("T#acme", "1") == {**ROW, "number_of": 4}


def test_an_update_sets_adds_removes_and_returns_the_row(store):
    store.table.put({**ROW, "old": "x"})
    update = Update(
        partition="T#acme", sort="1", sets={"name": "a"}, adds={"number_of": 2}, removes=["old"]
    )
    assert store.table.update(update) == {**ROW, "number_of": 5, "name": "a"}
    renamed = replace(update, sets={"name": "b"})
    assert store.table.update(renamed, return_all=False) == {"number_of": 7, "name": "b"}


def test_an_update_whose_condition_fails_returns_the_row_or_none(store):
    update = Update(
        partition="T#acme",
        sort="1",
        sets={"a": 1},
        only_if="#number_of = :number_of",
        values={"number_of": 4},
    )
    with pytest.raises(ConditionFailed) as caught:
        store.table.update(update)
    assert caught.value.item is None
    store.table.put(ROW)
    with pytest.raises(ConditionFailed) as caught:
        store.table.update(update)
    assert caught.value.item == ROW


def test_a_query_has_both_ends_and_continues_where_it_stopped(store):
    store.batch.put_all({"pk": "T#acme", "sk": str(n), "even": n % 2 == 0} for n in range(9))
    query = Query(partition="T#acme", low="2", high="7")
    first = store.table.query(query, 4)
    rest = store.table.query(query, 4, first.next)
    assert [row["sk"] for row in first.items + rest.items] == ["2", "3", "4", "5", "6", "7"]
    assert rest.next is None
    even = Query(
        partition="T#acme",
        low="2",
        high="7",
        is_descending=True,
        filter_expression="#even = :even",
        values={"even": True},
    )
    assert [row["sk"] for row in store.table.query(even, 9).items] == ["6", "4", "2"]


def test_batches_are_split_by_the_limits_of_dynamodb(store):
    keys = [("T#acme", f"{n:03d}") for n in range(201)]
    with store.count_calls() as calls:
        store.batch.put_all({"pk": partition, "sk": sort} for partition, sort in keys)
        found = [(row["pk"], row["sk"]) for row in store.batch.get_all([*keys, ("T#acme", "x")])]
    assert calls == ["BatchWriteItem"] * 9 + ["BatchGetItem"] * 3
    assert sorted(found) == keys


@pytest.mark.parametrize(
    ("operation", "call"),
    [
        ("GetItem", lambda table, _: table.get("a", "b")),
        ("PutItem", lambda table, _: table.put(ROW)),
        ("UpdateItem", lambda table, _: table.update(UPDATE)),
        ("DeleteItem", lambda table, _: table.delete("a", "b")),
        ("Query", lambda table, _: table.query(Query(partition="a", low="a", high="b"), 1)),
        ("TransactWriteItems", lambda table, _: table.transact([UPDATE])),
        ("BatchWriteItem", lambda _, batch: batch.put_all([ROW])),
        ("BatchGetItem", lambda _, batch: [*batch.get_all([("a", "b")])]),
    ],
)
def test_a_table_that_does_not_answer_is_unavailable(cloud, operation, call):
    cloud.fail(cloud.dynamodb, operation, aws.refuse_connection)
    with pytest.raises(Unavailable):
        call(Table(cloud.dynamodb, TABLE), BatchTable(cloud.dynamodb, TABLE))
