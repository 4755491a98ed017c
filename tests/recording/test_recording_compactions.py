"""The usage of a compaction is recorded; its response is passed on even where that fails."""

import json

import pytest

from antiphon.auth import Caller
from antiphon.recording.discarding import Discarding
from antiphon.recording.recorder import ResponseRecorder
from antiphon.recording.tracker import DurableLinks, ResourceOwner, Stores
from antiphon.schema.other_bodies import Compact
from antiphon.store.dynamodb import BatchTable
from antiphon.store.items import Items
from antiphon.store.links import Links
from antiphon.store.usage import usage_counts
from antiphon.upstream.outcome import UpstreamResponse
from infra.local.aws.resources import TABLE
from tests.support.aws import fake_aws
from tests.support.limits import make_admission
from tests.support.usage import make_usage

OWNER = ResourceOwner("req_1", Caller("acme", "key_1"), "openai")


@pytest.fixture
def aws():
    with fake_aws() as fake:
        yield fake


def record(aws, status, body):
    durable = DurableLinks(Links(aws.table), aws.queue)
    admission = make_admission(aws.table)
    stores = Stores(durable, Items(BatchTable(aws.dynamodb, TABLE)), 30, 3650)
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    response = UpstreamResponse("openai", status, {}, content)
    reservation = admission.reservation_from(None)
    recorder = ResponseRecorder(stores, Discarding(routing=None, upstream=None), admission)
    body = Compact.of({"model": "gpt-5", "input": "x"})
    assert recorder.record_compaction(response, OWNER, body, reservation).body == content


def row(aws, id):
    return aws.table.get(f"T#acme#Z#{id}", "LINK")


def test_it_is_a_link_that_no_request_can_name(aws):
    made = {"id": "resp_1", "object": "response.compaction", "output": [{}], "usage": make_usage()}
    record(aws, 200, made)
    row_of_link = row(aws, "resp_1")
    assert (row_of_link["kind"], row_of_link["status"], row_of_link["model"]) == (
        "compaction",
        "completed",
        "gpt-5",
    )
    assert (row_of_link["usage"], row_of_link["key_id"]) == (make_usage(), "key_1")
    assert "output" not in row_of_link
    assert aws.row("resp_1") is None


def test_one_without_id_or_usage_is_counted_without_them(aws):
    record(aws, 200, {"output": []})
    link = Links(aws.table).get("compaction", "acme", "req_1")
    assert usage_counts(link, lambda _: None) == {"requests": 1, "completed": 1, "unmetered": 1}


@pytest.mark.parametrize("status", [400, 429, 500])
def test_an_error_is_not_recorded(aws, status):
    record(aws, status, {"id": "resp_1", "usage": make_usage()})
    assert row(aws, "resp_1") is None


def test_what_the_table_does_not_take_waits_in_the_queue(aws):
    aws.fail(aws.dynamodb, "PutItem")
    record(aws, 200, {"id": "resp_1", "usage": make_usage()})
    [(message, _)] = aws.sent
    assert (message.link.kind, message.link.id) == ("compaction", "resp_1")


def test_an_answer_is_passed_on_where_nothing_can_be_written(aws, caplog, capfd):
    aws.fail(aws.dynamodb, "PutItem")
    aws.fail(aws.sqs, "SendMessage")
    record(aws, 200, {"id": "resp_1", "output": "marked-text"})
    assert [record.message for record in caplog.records] == ["usage not counted"]
    assert "marked" not in caplog.text + "".join(capfd.readouterr())
