"""`antiphon restore`: what it counts, copies, and leaves alone."""

import time

import pytest

from antiphon.store.dynamodb import BatchTable
from antiphon.store.links import link_row
from infra.local.aws.resources import table_definition
from tests.support.aws_clients import aws_client, aws_table
from tests.support.commands import read_rows, run_antiphon, run_for_json
from tests.support.dynamodb import make_link
from tests.support.usage import make_usage

OURS, RESTORED = "table-of-prod", "antiphon-restored"
RECOUNT = ("usage", "recount", "--since", "2023-11-14")
pytestmark = pytest.mark.usefixtures("stacks")


@pytest.fixture
def client():
    return aws_client("dynamodb")


@pytest.fixture
def restored(client, stacks):  # noqa: ARG001  the tables must exist
    """A copy of a table with a key, and with a link that is counted; ours has lost both rows."""
    run_for_json("keys", "create", "--tenant", "acme")
    link = make_link(status="completed", usage=make_usage())
    BatchTable(client, OURS).put_all([link_row(link)])
    assert run_antiphon(*RECOUNT).code == 0
    client.create_table(**{**table_definition(), "TableName": RESTORED})
    rows = read_rows(OURS)
    table = aws_table(RESTORED)
    for row in rows:
        table.put_item(Item=row)
    ours = aws_table(OURS)
    for row in rows:
        if row["sk"] in {"KEY", "LINK", "COUNTED"}:
            ours.delete_item(Key={"pk": row["pk"], "sk": row["sk"]})
    return rows


def in_order(rows):
    return sorted(rows, key=lambda row: (row["pk"], row["sk"]))


def column(counts, name):
    return {kind: each[name] for kind, each in counts["rows"].items() if each[name]}


def test_missing_rows_are_counted_first_and_written_on_request(restored):
    before = read_rows(OURS)
    missing = {"API keys": 1, "links": 1, "marks of counted links": 1}
    assert column(run_for_json("restore", RESTORED), "missing") == missing
    assert in_order(read_rows(OURS)) == in_order(before)
    assert column(run_for_json("restore", RESTORED, "--write"), "missing") == missing
    assert in_order(read_rows(OURS)) == in_order(restored)
    again = run_for_json("restore", RESTORED, "--write")
    assert column(again, "missing") == {}
    assert sum(column(again, "same").values()) == len(restored)


@pytest.mark.usefixtures("restored")
def test_usage_is_not_counted_twice(client):
    run_for_json("restore", RESTORED, "--write")
    streams = aws_client("dynamodbstreams")
    (stream,) = streams.list_streams(TableName=OURS)["Streams"]
    described = streams.describe_stream(StreamArn=stream["StreamArn"])["StreamDescription"]
    iterator = streams.get_shard_iterator(
        StreamArn=stream["StreamArn"],
        ShardId=described["Shards"][0]["ShardId"],
        ShardIteratorType="TRIM_HORIZON",
    )["ShardIterator"]
    changes = streams.get_records(ShardIterator=iterator)["Records"]
    written = [c["dynamodb"]["Keys"]["sk"]["S"] for c in changes if c["eventName"] == "INSERT"]
    assert written[-1] == "LINK"  # when rollup reads it, the mark is there
    sums = [row for row in read_rows(OURS) if row["pk"] == "T#acme#U"]
    assert run_antiphon(*RECOUNT).code == 0
    assert [row for row in read_rows(OURS) if row["pk"] == "T#acme#U"] == sums
    assert client.describe_table(TableName=RESTORED)["Table"]["ItemCount"] > 0


def test_rows_that_exist_or_have_expired_are_left_alone(client, restored):
    id = run_for_json("keys", "create", "--tenant", "acme", "--name", "new")["id"]
    table = aws_table(RESTORED)
    (new,) = (row for row in read_rows(OURS) if row["sk"] == "KEY")
    table.put_item(Item={**new, "name": "old"})
    gone = link_row(make_link(9, expires_at=int(time.time()) - 1))
    limits = {"pk": "T#acme#L#key_1", "sk": "LIMITS"}
    moved = {"pk": "T#acme#L#key_1#HELD", "sk": "0a1b"}
    BatchTable(client, RESTORED).put_all([gone, limits, moved])
    counts = run_for_json("restore", RESTORED, "--write")
    assert column(counts, "different") == {"API keys": 1}
    assert column(counts, "expired") == {"links": 1}
    assert column(counts, "left out") == {"counters of limits": 2}
    assert run_for_json("keys", "show", id)["name"] == "new"
    assert len(read_rows(OURS)) == len(restored) + 1


def test_people_get_a_table_and_what_to_do_next(restored):
    done = run_antiphon("restore", RESTORED)
    assert done.err == "3 missing rows would be written with --write to Antiphon-prod.\n"
    assert done.out.split("\n")[0].split()[-2:] == ["out", "missing"]
    assert restored


@pytest.mark.parametrize(
    ("table", "why"),
    [(OURS, "is the table of this stage itself"), ("other", "is no table of Antiphon")],
)
def test_other_tables_are_refused(client, table, why):
    client.create_table(
        TableName="other",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    done = run_antiphon("restore", table, "--write")
    assert (done.code, why in done.err) == (2, True), done.err
