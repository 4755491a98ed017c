"""The local AWS answers as moto's own server does, in less time and over fewer connections."""

import http.client
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from moto.dynamodb.models.dynamo_type import DynamoType
from moto.dynamodb.models.table import Table

from infra.local.aws import moto_lookups, transactions
from infra.local.aws.http_server import serve_moto
from infra.local.aws.resources import REGION, TABLE, table_definition

CREDENTIALS = {"aws_access_key_id": "x", "aws_secret_access_key": "x"}
ELSEWHERE = "eu-west-1"  # where moto's usual way answers
KEY = {"pk": {"S": "T#acme"}, "sk": {"S": "LINK"}}
OTHER_KEY = {"pk": {"S": "T#acme"}, "sk": {"S": "SUM"}}
ROW = {**KEY, "name": {"S": "é"}, "n": {"N": "1"}, "tags": {"L": [{"S": "a"}, {"BOOL": True}]}}
SUM = {
    "TableName": TABLE,
    "Key": OTHER_KEY,
    "UpdateExpression": "SET #name = :name ADD #n :n, #m :n",
    "ExpressionAttributeNames": {"#name": "name", "#n": "n", "#m": "m"},
    "ExpressionAttributeValues": {":n": {"N": "2"}, ":name": {"S": "x"}},
}
NEW = {"TableName": TABLE, "Item": ROW, "ConditionExpression": "attribute_not_exists(pk)"}
CALLS = [
    ("put_item", NEW),
    ("put_item", NEW),  # the condition fails
    ("put_item", {**NEW, "ReturnValuesOnConditionCheckFailure": "ALL_OLD"}),
    ("get_item", {"TableName": TABLE, "Key": KEY}),
    ("get_item", {"TableName": TABLE, "Key": OTHER_KEY}),  # there is none
    ("get_item", {"TableName": "none", "Key": KEY}),
    ("update_item", {**SUM, "ReturnValues": "ALL_NEW"}),
    ("update_item", {**SUM, "ReturnValues": "UPDATED_OLD"}),
    ("update_item", {**SUM, "UpdateExpression": "ADD #n :n SET #name = :name ADD #m :n"}),
    ("update_item", {**SUM, "UpdateExpression": "SET #name = :name ADD #n :n, #m :n, #n :n"}),
    ("transact_write_items", {"TransactItems": [{"Update": SUM}]}),
    ("transact_write_items", {"TransactItems": [{"Update": SUM}, {"Put": NEW}]}),
    (
        "query",
        {
            "TableName": TABLE,
            "KeyConditionExpression": "pk = :pk",
            "ExpressionAttributeValues": {":pk": KEY["pk"]},
            "ReturnConsumedCapacity": "TOTAL",
        },
    ),
    ("batch_get_item", {"RequestItems": {TABLE: {"Keys": [KEY, OTHER_KEY]}}}),
    ("batch_write_item", {"RequestItems": {TABLE: [{"DeleteRequest": {"Key": OTHER_KEY}}]}}),
    ("put_item", {"TableName": TABLE, "Item": {**ROW, "bytes": {"B": b"\x00"}}}),
    ("get_item", {"TableName": TABLE, "Key": KEY}),
    ("delete_item", {"TableName": TABLE, "Key": KEY, "ReturnValues": "ALL_OLD"}),
]


@pytest.fixture(scope="module")
def aws():
    moto_lookups.install()
    transactions.install()
    with serve_moto() as url:
        yield url


def connect(service, url, region=REGION):
    return boto3.client(
        service,
        endpoint_url=url,
        region_name=region,
        config=Config(retries={"total_max_attempts": 1}),
        **CREDENTIALS,
    )


def answers(client):
    """What the calls return, without what differs from call to call."""
    for name, arguments in CALLS:
        try:
            answer = getattr(client, name)(**arguments)
        except ClientError as exc:
            answer = exc.response
        metadata = answer.pop("ResponseMetadata")
        yield name, metadata["HTTPStatusCode"], answer


def message_answers(sqs):
    """A message from its sending to its end, and what a queue that does not exist answers."""
    url = sqs.create_queue(QueueName="direct")["QueueUrl"]
    sent = sqs.send_message(QueueUrl=url, MessageBody='{"é": 1}', DelaySeconds=0)
    yield sorted(sent), sent["MD5OfMessageBody"]
    [received] = sqs.receive_message(QueueUrl=url, MessageSystemAttributeNames=["All"])["Messages"]
    yield sorted(received), received["Body"], received["MD5OfBody"], sorted(received["Attributes"])
    entries = [{"Id": "0", "ReceiptHandle": received["ReceiptHandle"]}]
    yield sqs.delete_message_batch(QueueUrl=url, Entries=entries)["Successful"]
    yield sqs.receive_message(QueueUrl=url).get("Messages")
    yield error_of(lambda: sqs.send_message(QueueUrl=f"{url}-none", MessageBody="x"))


def secret_answers(secrets):
    secrets.create_secret(Name="direct", SecretString="value")
    found = secrets.get_secret_value(SecretId="direct", VersionStage="AWSCURRENT")
    yield sorted(found), found["SecretString"], found["VersionStages"]
    yield error_of(lambda: secrets.get_secret_value(SecretId="none"))


def error_of(call):
    with pytest.raises(ClientError) as refused:
        call()
    response = refused.value.response
    return response["Error"], response["ResponseMetadata"]["HTTPStatusCode"]


def stream_records(url, region):
    streams = connect("dynamodbstreams", url, region)
    [stream] = streams.list_streams(TableName=TABLE)["Streams"]
    [shard] = streams.describe_stream(StreamArn=stream["StreamArn"])["StreamDescription"]["Shards"]
    iterator = streams.get_shard_iterator(
        StreamArn=stream["StreamArn"],
        ShardId=shard["ShardId"],
        ShardIteratorType="TRIM_HORIZON",
    )["ShardIterator"]
    for record in streams.get_records(ShardIterator=iterator)["Records"]:
        change = record["dynamodb"]
        assert change.pop("ApproximateCreationDateTime")
        change.pop("SizeBytes")  # of which the time is a part
        yield record["eventName"], change


def test_calls_for_rows_are_answered_as_by_motos_usual_way(aws):
    clients = [connect("dynamodb", aws, region) for region in (REGION, ELSEWHERE)]
    for client in clients:
        client.create_table(**table_definition())
    ours, usual = (list(answers(client)) for client in clients)
    assert ours == usual
    assert {status for _, status, _ in ours} == {200, 400}
    assert list(stream_records(aws, REGION)) == list(stream_records(aws, ELSEWHERE))


def make_table():
    """A table with two partitions, each with rows of two partitions of the index by_time."""
    definition = table_definition()
    table = Table(
        TABLE,
        "123456789012",
        REGION,
        schema=definition["KeySchema"],
        attr=definition["AttributeDefinitions"],
        global_indexes=definition["GlobalSecondaryIndexes"],
    )
    for n in (3, 0, 2, 1, 4, 5):
        row = {"pk": f"P{n % 2}", "sk": f"{n}", "by_time_pk": f"T{n // 3}", "by_time_sk": f"{-n}"}
        table.put_item({name: {"S": value} for name, value in row.items()})
    table.put_item({"pk": {"S": "P0"}, "sk": {"S": "9"}, "by_time_pk": {"S": "T0"}})
    return table


QUERIES = [
    {"pk": "P0"},
    {"pk": "P0", "compared": ("BEGINS_WITH", "2")},
    {"pk": "P0", "compared": (">", "0"), "limit": 1},
    {"pk": "P1", "forward": False, "limit": 2},
    {"pk": "P1", "start": {"pk": "P1", "sk": "1"}},
    {"pk": "none"},
    {"by_time_pk": "T0"},
    {"by_time_pk": "T0", "forward": False, "limit": 2},
    {"by_time_pk": "T1", "start": {"pk": "P1", "sk": "3", "by_time_pk": "T1", "by_time_sk": "-3"}},
    {"by_time_pk": "T1", "compared": ("<", "-4")},
    {"by_time_pk": "none"},
]


def run_query(query, table, *, compared=None, limit=None, start=None, forward=True, **partition):
    [(name, value)] = partition.items()
    key = DynamoType({"S": value})
    rows, count, last = query(
        table,
        key,
        compared and compared[0],
        [DynamoType({"S": compared[1]})] if compared else [],
        limit,
        start and {name: {"S": value} for name, value in start.items()},
        forward,
        None,
        "by_time" if name == "by_time_pk" else None,
        hash_key_conditions=[(name, key)],
    )
    found = [{name: value.value for name, value in row.attrs.items()} for row in rows]
    return found, count, last and {name: value.value for name, value in last.items()}


@pytest.mark.parametrize(
    ("service", "answers_of"), [("sqs", message_answers), ("secretsmanager", secret_answers)]
)
def test_messages_and_secrets_are_answered_as_by_motos_usual_way(aws, service, answers_of):
    ours, usual = (list(answers_of(connect(service, aws, at))) for at in (REGION, ELSEWHERE))
    assert ours == usual


@pytest.mark.usefixtures("aws")
def test_a_query_of_one_partition_finds_what_motos_own_finds():
    table = make_table()
    for query in QUERIES:
        found = run_query(Table.query, table, **query)
        assert found == run_query(Table.query.__wrapped__, table, **query)
    assert found == ([], 0, None)
    assert len(run_query(Table.query, table, by_time_pk="T0")[0]) == 3


def test_a_connection_serves_many_calls(aws):
    address = urlsplit(aws)
    connection = http.client.HTTPConnection(address.hostname, address.port)
    connection.connect()
    first = connection.sock
    for _ in range(2):
        connection.request("POST", "/", b"Action=GetCallerIdentity&Version=2011-06-15")
        connection.getresponse().read()
        assert connection.sock is first
    connection.close()


def test_a_call_that_waits_for_messages_delays_no_other(aws):
    sqs, table = connect("sqs", aws), connect("dynamodb", aws)
    queue = sqs.create_queue(QueueName="queue")["QueueUrl"]
    with ThreadPoolExecutor(1) as thread:
        waiting = thread.submit(sqs.receive_message, QueueUrl=queue, WaitTimeSeconds=20)
        table.list_tables()
        assert not waiting.done()
        sqs.send_message(QueueUrl=queue, MessageBody="hello")
        assert waiting.result(10)["Messages"][0]["Body"] == "hello"
