"""What a compaction takes is written down, and its answer passed on whatever becomes of that."""

import json
from dataclasses import dataclass

import pytest

from antiphon.auth import Caller
from antiphon.http import Reply
from antiphon.recording.recorder import ResourceOwner, ResponseRecorder
from antiphon.recording.tracker import Stores
from antiphon.store.durable_links import DurableLinks
from antiphon.store.dynamodb import BatchTable
from antiphon.store.items import Items
from antiphon.store.usage import usage_counts
from infra.local.things import TABLE
from tests.support.aws import fake_aws
from tests.support.limits import make_admission
from tests.support.usage import make_usage

PLACE = ResourceOwner("req_1", Caller("acme", "key_1"), "openai")


@dataclass
class Answered:
    """A provider's answer, as far as it is looked at."""

    status: int
    whole: bytes
    target: str = "openai"

    def reply(self):
        return Reply(self.status, {}, self.whole)


@pytest.fixture
def aws():
    with fake_aws() as made:
        yield made


def spend(aws, status, body):
    links = DurableLinks(aws.table, aws.queue)
    ledger = ResponseRecorder(
        Stores(links, Items(BatchTable(aws.dynamodb, TABLE)), 30, 3650), make_admission(aws.table)
    )
    whole = body if isinstance(body, bytes) else json.dumps(body).encode()
    assert (
        ledger.spend(
            Answered(status, whole), PLACE, "gpt-5", make_admission(aws.table).lease(None)
        ).body
        == whole
    )


def row(aws, id):
    return aws.table.get(f"T#acme#Z#{id}", "LINK")


def test_it_is_kept_as_a_link_that_nobody_can_name(aws):
    made = {"id": "resp_1", "object": "response.compaction", "output": [{}], "usage": make_usage()}
    spend(aws, 200, made)
    kept = row(aws, "resp_1")
    assert (kept["kind"], kept["status"], kept["model"]) == ("compaction", "completed", "gpt-5")
    assert (kept["usage"], kept["key_id"]) == (make_usage(), "key_1")
    assert "output" not in kept
    assert aws.row("resp_1") is None


def test_one_without_id_or_figures_is_counted_without_them(aws):
    spend(aws, 200, {"output": []})
    link = DurableLinks(aws.table, aws.queue).get("compaction", "acme", "req_1")
    assert usage_counts(link, lambda _: None) == {"requests": 1, "completed": 1, "unmetered": 1}


@pytest.mark.parametrize("status", [400, 429, 500])
def test_a_refusal_has_taken_nothing(aws, status):
    spend(aws, status, {"id": "resp_1", "usage": make_usage()})
    assert row(aws, "resp_1") is None


def test_what_the_table_does_not_take_waits_in_the_queue(aws):
    aws.fail(aws.dynamodb, "PutItem")
    spend(aws, 200, {"id": "resp_1", "usage": make_usage()})
    [(message, _)] = aws.sent
    assert (message.link.kind, message.link.id) == ("compaction", "resp_1")


def test_an_answer_is_passed_on_where_nothing_can_be_written(aws, caplog, capfd):
    aws.fail(aws.dynamodb, "PutItem")
    aws.fail(aws.sqs, "SendMessage")
    spend(aws, 200, {"id": "resp_1", "output": "marked-text"})
    spend(aws, 200, b"marked-text, which is no JSON")
    assert [record.message for record in caplog.records] == ["compaction not counted"] * 2
    assert "marked" not in caplog.text + "".join(capfd.readouterr())
