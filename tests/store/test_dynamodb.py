"""Values as DynamoDB stores them, conditional writes, queries and batches."""

import json
from dataclasses import replace

import pytest
from botocore.credentials import Credentials

from antiphon.errors import Unavailable
from antiphon.store.aws_api import DYNAMODB, AwsAccess, AwsAnswer, DynamoDB, JsonApi
from antiphon.store.dynamodb import (
    BatchTable,
    CallTime,
    ConditionFailed,
    Table,
    Update,
    WriteUnknown,
    from_attribute,
    marshal,
    to_attribute,
    unmarshal,
)
from antiphon.store.queries import Query
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


def test_a_write_whose_answer_is_lost_is_recognised_in_the_row(cloud):
    cloud.fail(cloud.dynamodb, "PutItem", aws.lose_response)
    is_new = "attribute_not_exists(pk)"
    cloud.table.put(ROW, is_new, is_ours=lambda row: row == ROW)
    with pytest.raises(WriteUnknown):
        cloud.table.put(ROW, is_new, is_ours=lambda row: row != ROW)
    with pytest.raises(WriteUnknown):
        cloud.table.put(ROW, is_new)
    cloud.restore(cloud.dynamodb, "PutItem")
    cloud.table.put(ROW, is_new, is_ours=lambda row: row == ROW)  # as after one attempt before


@pytest.mark.parametrize(
    ("fault", "is_unknown"),
    [
        (aws.refuse_connection, False),
        (aws.refuse_with("ProvisionedThroughputExceededException"), False),
        (aws.refuse_with("AccessDeniedException"), False),
        (aws.refuse_with("InternalServerError", 500), True),
        (aws.lose_response, True),
        (aws.time_out, True),
    ],
)
def test_a_write_is_unknown_where_it_may_have_been_made(cloud, fault, is_unknown):
    cloud.fail(cloud.dynamodb, "UpdateItem", fault)
    with pytest.raises(Unavailable) as caught:
        cloud.table.update(UPDATE)
    assert isinstance(caught.value, WriteUnknown) is is_unknown


def test_the_second_attempt_of_a_transaction_is_the_same_one(cloud):
    tokens = []
    cloud.dynamodb.meta.events.register(
        "before-call.dynamodb", lambda params, **_: tokens.append(json.loads(params["body"]))
    )
    cloud.fail(cloud.dynamodb, "TransactWriteItems")
    with pytest.raises(Unavailable):
        cloud.table.transact([UPDATE])
    first, second = (call["ClientRequestToken"] for call in tokens)
    assert first == second


def timed_client(time, seen):
    """A client that records how long each of its calls may wait."""

    def send(request):
        seen.append(request.read_seconds)
        return AwsAnswer(200, {}, b"{}")

    access = AwsAccess("eu-central-1", Credentials("a", "b"), send)
    return DynamoDB(JsonApi(DYNAMODB, "http://table/", access, 1, time.read_seconds))


def test_all_calls_of_a_request_share_its_time():
    limit, seen = CallTime(3), []
    limit.renew()
    table = Table(timed_client(limit, seen), TABLE, limit)
    table.get("a", "b")
    limit._left = 1.5  # as after calls that took so long
    table.get("a", "b")
    limit._left = 0
    with pytest.raises(Unavailable):
        table.get("a", "b")
    limit.renew()
    table.get("a", "b")
    assert seen == [2, 1.5, 2]


@pytest.mark.parametrize(("left", "limit"), [(3, 0.5), (0.2, 0.2), (float("inf"), 2)])
def test_a_block_may_have_a_part_of_the_time(left, limit):
    time, seen = CallTime(3), []
    time._left = left
    batch = BatchTable(timed_client(time, seen), TABLE, time)
    with time.at_most(0.5):
        batch.put_all([ROW])
    assert seen == [pytest.approx(limit)]
    assert time._left == pytest.approx(left, abs=0.19)


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
