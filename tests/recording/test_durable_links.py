"""A link that the table does not take is written later by the queue."""

import time
from dataclasses import replace

import pytest

from antiphon.errors import Unavailable
from antiphon.recording.tracker import DurableLinks, ResponseTracker, Stores, TrackedLink
from antiphon.settings.metrics import DEFERRED_ROWS, LINK_NOT_WRITTEN
from antiphon.store.dynamodb import BatchTable
from antiphon.store.items import Items
from antiphon.store.links import Links
from antiphon.store.queue import DeferredWrite, decode_message, encode_message
from infra.local.aws.resources import TABLE
from tests.support import aws
from tests.support.dynamodb import make_link, owned_items
from tests.support.events import make_response
from tests.support.limits import make_admission

LINK = make_link(id="resp_1", request_id="r-1", status="in_progress", metadata={"team": "blue"})
OUTCOME = {"status": "completed", "usage": {"input_tokens": 3, "cost": 0.25}, "completed_at": 7}


@pytest.fixture
def links(cloud):
    return DurableLinks(Links(cloud.table), cloud.queue)


@pytest.fixture
def items(cloud):
    return Items(BatchTable(cloud.dynamodb, TABLE))


def test_links_that_are_written_use_no_queue(cloud, links):
    assert links.put(LINK)
    links.change(LINK, **OUTCOME)
    assert cloud.sent == []
    assert cloud.row("resp_1")["status"] == "completed"


@pytest.mark.parametrize("fault", [aws.refuse_connection, aws.lose_response])
def test_a_link_that_is_not_written_goes_to_the_queue(cloud, links, fault):
    cloud.fail(cloud.dynamodb, "PutItem", fault)
    before = int(time.time())
    assert not links.put(LINK)
    [(message, delay)] = cloud.sent
    assert message == DeferredWrite(LINK, since=message.since)
    assert message.since >= before
    assert delay == 2
    assert (cloud.row("resp_1") is None) == (fault is aws.refuse_connection)


def test_a_link_that_neither_table_nor_queue_takes_is_unavailable(cloud, links):
    cloud.fail(cloud.dynamodb, "PutItem")
    cloud.fail(cloud.sqs, "SendMessage")
    with pytest.raises(Unavailable):
        links.put(LINK)


def test_deferred_and_lost_links_are_counted(cloud, links, measured):
    cloud.fail(cloud.dynamodb, "PutItem")
    links.put(LINK)
    cloud.fail(cloud.sqs, "SendMessage")
    with pytest.raises(Unavailable):
        links.put(LINK)
    assert (measured(DEFERRED_ROWS), measured(LINK_NOT_WRITTEN)) == (1, 1)


def test_the_outcome_of_a_deferred_link_waits_behind_it(cloud, links):
    """Otherwise it would find no row to change, and be lost."""
    cloud.fail(cloud.dynamodb, "PutItem")
    is_written = links.put(LINK)
    cloud.restore(cloud.dynamodb, "PutItem")
    links.change(LINK, is_deferred=not is_written, **OUTCOME)
    assert [message.changes for message, _ in cloud.sent] == [{}, OUTCOME]
    assert cloud.row("resp_1") is None


def test_the_link_of_the_next_request_is_not_deferred(cloud, links):
    cloud.fail(cloud.dynamodb, "PutItem")
    assert not links.put(LINK)
    cloud.restore(cloud.dynamodb, "PutItem")
    other = replace(LINK, id="resp_2", request_id="r-2")
    assert links.put(other)
    links.change(other, **OUTCOME)
    assert len(cloud.sent) == 1
    assert cloud.row("resp_2")["status"] == "completed"


def test_an_outcome_that_is_not_written_goes_to_the_queue(cloud, links):
    links.put(LINK)
    cloud.fail(cloud.dynamodb, "UpdateItem")
    links.change(LINK, **OUTCOME)
    assert [message.changes for message, _ in cloud.sent] == [OUTCOME]


def test_a_deletion_that_is_not_written_goes_to_the_queue(cloud, links):
    links.put(LINK)
    cloud.fail(cloud.dynamodb, "UpdateItem")
    links.mark_deleted(LINK)
    assert [list(message.changes) for message, _ in cloud.sent] == [["deleted_at"]]


def test_items_that_the_table_does_not_take_are_owned_from_the_queue(cloud, links, items):
    stores, ids = Stores(links, items, 30, 30), [f"msg_{n}" for n in range(150)]
    cloud.fail(cloud.dynamodb, "BatchWriteItem")
    stores.own_items(LINK, ids)
    assert owned_items(items, "acme", ids[:100]) == {}
    for message, _ in cloud.sent:
        for update in decode_message(encode_message(message)).updates:
            cloud.table.update(update)
    assert owned_items(items, "acme", ids) == dict.fromkeys(ids, "openai")
    assert len(cloud.sent) == 2
    cloud.fail(cloud.sqs, "SendMessage")
    with pytest.raises(Unavailable):
        stores.own_items(LINK, ["msg_last"])


def test_a_terminal_event_waits_for_no_queue(cloud, links, items):
    links.put(LINK)
    cloud.fail(cloud.dynamodb, "BatchWriteItem")
    nothing = make_admission(cloud.table).reservation_from(None)
    stores = Stores(links, items, 30, 30)
    found = TrackedLink(LINK)
    tracker = ResponseTracker(stores, nothing, lambda *_: found, make_link, is_new=True)
    output = [{"type": "message", "id": "msg_1"}]
    tracker.observe(make_response("resp_1", "completed", output=output))
    assert cloud.sent == []  # from here the event passes
    tracker.close("response.completed")
    [(message, _)] = cloud.sent
    assert [update.sets["id"] for update in message.updates] == ["msg_1"]
    assert cloud.row("resp_1")["status"] == "completed"


def test_a_change_with_items_is_one_transaction(cloud, links, items):
    links.put(LINK)
    for operation in ("UpdateItem", "BatchWriteItem"):
        cloud.fail(cloud.dynamodb, operation)
    links.change_with(LINK, OUTCOME, items.ownership_updates(LINK, ["msg_1", "rs_1"]))
    assert cloud.row("resp_1")["status"] == "completed"
    assert owned_items(items, "acme", ["msg_1", "rs_1"]) == {"msg_1": "openai", "rs_1": "openai"}
    assert cloud.sent == []


@pytest.mark.parametrize(
    "fault", [aws.refuse_connection, aws.cancel_transaction("None", "TransactionConflict")]
)
def test_of_a_change_with_items_all_is_written_or_none(cloud, links, items, fault):
    """The poll that found it is repeated, so neither the outcome nor the items are lost."""
    links.put(LINK)
    cloud.fail(cloud.dynamodb, "TransactWriteItems", fault)
    with pytest.raises(Unavailable):
        links.change_with(LINK, OUTCOME, items.ownership_updates(LINK, ["msg_1"]))
    assert cloud.sent == []
    assert cloud.row("resp_1")["status"] == "in_progress"
    assert owned_items(items, "acme", ["msg_1"]) == {}
