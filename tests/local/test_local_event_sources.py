"""Event source mappings behave as on AWS, for the queue and for the table's stream."""

import json

import pytest

from infra.local.aws.event_sources import MAX_TRIES
from infra.local.aws.resources import DEAD_LETTERS, TABLE, queue_url
from infra.local.options import GatewayOptions
from infra.local.runtime_api.function import DUMMY_CREDENTIALS
from infra.local.target_setup import TargetSetup
from tests.local import event_source_rig
from tests.local.gateway_rig import TASK
from tests.support.gateway import run_local_aws


@pytest.fixture(scope="module")
def aws():
    with run_local_aws() as endpoint:
        yield endpoint


@pytest.fixture
async def rig(tmp_path, request, aws, monkeypatch):
    for name, value in DUMMY_CREDENTIALS.items():
        monkeypatch.setenv(name, value)
    async with event_source_rig.run_event_source(request.param, tmp_path, aws) as rig:
        yield rig


queue = pytest.mark.parametrize("rig", ["settle"], indirect=True)
stream = pytest.mark.parametrize("rig", ["rollup"], indirect=True)


def test_only_existing_functions_have_event_sources():
    def event_functions(functions):
        options = GatewayOptions(
            keys=[], setup=TargetSetup({}, {}, {}), simulated_models=[], env={}, functions=functions
        )
        return options.event_functions("http://127.0.0.1:1", TASK / "config.json")

    assert event_functions(TASK) == {}
    handlers = {
        name: function.env["_HANDLER"]
        for name, function in event_functions(event_source_rig.EVENT_FUNCTIONS).items()
    }
    assert handlers == {"settle": "settle.handler", "rollup": "rollup.handler"}


def bodies(invocation):
    return [record["body"] for record in invocation.records]


def pks(invocation):
    return [record["dynamodb"]["Keys"]["pk"]["S"] for record in invocation.records]


@queue
async def test_a_message_becomes_an_event_as_on_aws_and_is_deleted_when_it_is_processed(rig):
    rig.send("hello")
    invocation = await rig.next_invocation()
    assert invocation.name == "settle"
    [record] = invocation.records
    sent_at = int(record["attributes"]["SentTimestamp"])
    assert sent_at > 1_700_000_000_000
    assert record.keys() == {
        "messageId",
        "receiptHandle",
        "body",
        "attributes",
        "messageAttributes",
        "md5OfBody",
        "eventSource",
        "eventSourceARN",
        "awsRegion",
    }
    assert (record["body"], record["eventSource"]) == ("hello", "aws:sqs")
    assert record["eventSourceARN"] == "arn:aws:sqs:us-east-1:123456789012:antiphon-local"
    assert record["attributes"]["ApproximateReceiveCount"] == "1"
    invocation.return_result({"batchItemFailures": []})
    await rig.wait_until_empty()


@queue
async def test_only_failed_messages_are_delivered_again(rig):
    rig.send("first")
    first = await rig.next_invocation()  # while the function is busy, two more come together
    rig.send("good", "bad")
    first.return_result(None)
    both = await rig.next_invocation()
    assert sorted(bodies(both)) == ["bad", "good"]
    both.return_failures(*(r["messageId"] for r in both.records if r["body"] == "bad"))
    again = await rig.next_invocation()
    assert bodies(again) == ["bad"]
    assert again.records[0]["attributes"]["ApproximateReceiveCount"] == "2"
    again.return_result(None)
    await rig.wait_until_empty()


@queue
async def test_a_failed_function_fails_the_whole_batch(rig):
    for answer in ("raise", "exit", {"batchItemFailures": [{"other": 1}]}):
        rig.send("hello")
        first = await rig.next_invocation()
        first.return_result(answer)
        again = await rig.next_invocation()
        assert bodies(again) == ["hello"]
        assert (again.pid == first.pid) == (answer != "exit")
        again.return_result(None)
        await rig.wait_until_empty()


@queue
async def test_a_message_that_fails_too_often_becomes_a_dead_letter(rig):
    dead = "arn:aws:sqs:us-east-1:123456789012:" + DEAD_LETTERS
    policy = {"deadLetterTargetArn": dead, "maxReceiveCount": 2}
    rig.set_queue_attributes(RedrivePolicy=json.dumps(policy))
    rig.send("hello")
    for _ in range(2):
        (await rig.next_invocation()).return_result("raise")
    await rig.wait_until_empty()
    found = rig.sqs.receive_message(QueueUrl=queue_url(rig.endpoint, DEAD_LETTERS))
    assert [message["Body"] for message in found["Messages"]] == ["hello"]


@stream
async def test_changes_become_events_in_their_order_as_on_aws(rig):
    rig.put("a", "b")
    rig.table.update_item(Key={"pk": "a", "sk": "LINK"}, AttributeUpdates={"n": {"Value": 1}})
    records = []
    while len(records) < 3:
        invocation = await rig.next_invocation()
        records += invocation.records
        invocation.return_result({"batchItemFailures": []})
    assert [record["eventName"] for record in records] == ["INSERT", "INSERT", "MODIFY"]
    change = records[2]["dynamodb"]
    assert change["OldImage"] == {"pk": {"S": "a"}, "sk": {"S": "LINK"}}
    assert change["NewImage"] == {**change["OldImage"], "n": {"N": "1"}}
    assert records[0]["eventSource"] == "aws:dynamodb"
    assert f":table/{TABLE}/stream/" in records[0]["eventSourceARN"]


@stream
async def test_a_row_beside_the_links_invokes_nothing_as_on_aws(rig):
    rig.table.put_item(Item={"pk": "a", "sk": "USAGE"})
    ended = {"kind": "response", "status": "completed"}
    rig.table.put_item(Item={"pk": "a", "sk": "LINK", **ended})
    rig.table.delete_item(Key={"pk": "a", "sk": "LINK"})
    rig.put("b")
    seen = []
    while len(seen) < 2:
        invocation = await rig.next_invocation()
        seen += [
            (record["eventName"], pk)
            for record, pk in zip(invocation.records, pks(invocation), strict=True)
        ]
        invocation.return_result(None)
    assert seen == [("INSERT", "a"), ("INSERT", "b")]


@stream
async def test_a_change_that_fails_delays_the_rest_until_it_is_skipped(rig):
    rig.put("a")
    first = await rig.next_invocation()  # while the function is busy, three more come together
    rig.put("good", "bad", "behind")
    first.return_result(None)
    together = await rig.next_invocation()
    assert pks(together) == ["good", "bad", "behind"]
    together.return_failures(together.records[1]["dynamodb"]["SequenceNumber"])
    for _ in range(MAX_TRIES):
        alone = await rig.next_invocation()
        assert pks(alone) == ["bad"]
        alone.return_result("raise")
    rest = await rig.next_invocation()
    assert pks(rest) == ["behind"]
    rest.return_result(None)
