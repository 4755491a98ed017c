"""What AWS's event source mappings do, done here: for the queue, and for the table's stream."""

import json
from pathlib import Path

import pytest

from infra.local.aws.event_sources import MAX_TRIES
from infra.local.aws.resources import DEAD_LETTERS, TABLE, queue_url
from infra.local.options import GatewayOptions
from infra.local.target_setup import TargetSetup
from tests.local import fed_rig
from tests.local.rig import TASK


@pytest.fixture
async def fed(tmp_path, request):
    async with fed_rig.fed(request.param, tmp_path) as made:
        yield made


queue = pytest.mark.parametrize("fed", ["settle"], indirect=True)
stream = pytest.mark.parametrize("fed", ["rollup"], indirect=True)


def test_only_functions_that_are_there_are_fed():
    def fed(functions):
        options = GatewayOptions(
            keys=[], setup=TargetSetup({}, {}), simulated_models=[], env={}, functions=functions
        )
        return options.event_functions("http://127.0.0.1:1", Path("gateway.json"))

    assert fed(TASK) == {}
    handlers = {name: function.env["_HANDLER"] for name, function in fed(fed_rig.FED).items()}
    assert handlers == {"settle": "settle.handler", "rollup": "rollup.handler"}


def bodies(call):
    return [record["body"] for record in call.records]


def pks(call):
    return [record["dynamodb"]["Keys"]["pk"]["S"] for record in call.records]


@queue
async def test_a_message_is_told_of_as_aws_does_and_deleted_when_it_is_done(fed):
    fed.send("hello")
    call = await fed.call()
    assert call.name == "settle"
    [record] = call.records
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
    call.returns({"batchItemFailures": []})
    await fed.emptied()


@queue
async def test_what_failed_comes_again_and_what_did_not_does_not(fed):
    fed.send("first")
    first = await fed.call()  # while the function is busy, two more come together
    fed.send("good", "bad")
    first.returns(None)
    both = await fed.call()
    assert sorted(bodies(both)) == ["bad", "good"]
    both.fails(*(r["messageId"] for r in both.records if r["body"] == "bad"))
    again = await fed.call()
    assert bodies(again) == ["bad"]
    assert again.records[0]["attributes"]["ApproximateReceiveCount"] == "2"
    again.returns(None)
    await fed.emptied()


@queue
@pytest.mark.parametrize("answer", ["raise", "exit", {"batchItemFailures": [{"other": 1}]}])
async def test_a_function_that_fails_has_failed_with_all_of_it(fed, answer):
    fed.send("hello")
    first = await fed.call()
    first.returns(answer)
    again = await fed.call()
    assert bodies(again) == ["hello"]
    assert (again.pid == first.pid) == (answer != "exit")
    again.returns(None)
    await fed.emptied()


@queue
async def test_what_fails_too_often_is_a_dead_letter(fed):
    dead = "arn:aws:sqs:us-east-1:123456789012:" + DEAD_LETTERS
    policy = {"deadLetterTargetArn": dead, "maxReceiveCount": 2}
    fed.have(RedrivePolicy=json.dumps(policy))
    fed.send("hello")
    for _ in range(2):
        (await fed.call()).returns("raise")
    await fed.emptied()
    found = fed.sqs.receive_message(QueueUrl=queue_url(fed.endpoint, DEAD_LETTERS))
    assert [message["Body"] for message in found["Messages"]] == ["hello"]


@stream
async def test_changes_are_told_of_in_their_order_as_aws_does(fed):
    fed.put("a", "b")
    fed.table.update_item(Key={"pk": "a", "sk": "LINK"}, AttributeUpdates={"n": {"Value": 1}})
    told = []
    while len(told) < 3:
        call = await fed.call()
        told += call.records
        call.returns({"batchItemFailures": []})
    assert [record["eventName"] for record in told] == ["INSERT", "INSERT", "MODIFY"]
    change = told[2]["dynamodb"]
    assert change["OldImage"] == {"pk": {"S": "a"}, "sk": {"S": "LINK"}}
    assert change["NewImage"] == {**change["OldImage"], "n": {"N": "1"}}
    assert told[0]["eventSource"] == "aws:dynamodb"
    assert f":table/{TABLE}/stream/" in told[0]["eventSourceARN"]


@stream
async def test_a_change_that_fails_holds_up_the_rest_until_it_is_passed_over(fed):
    fed.put("a")
    first = await fed.call()  # while the function is busy, three more come together
    fed.put("good", "bad", "behind")
    first.returns(None)
    together = await fed.call()
    assert pks(together) == ["good", "bad", "behind"]
    together.fails(together.records[1]["dynamodb"]["SequenceNumber"])
    for _ in range(MAX_TRIES):
        alone = await fed.call()
        assert pks(alone) == ["bad"]
        alone.returns("raise")
    rest = await fed.call()
    assert pks(rest) == ["behind"]
    rest.returns(None)
