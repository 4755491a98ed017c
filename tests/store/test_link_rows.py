"""Links as rows: conditional writes, and a change of a link together with other rows."""

import time
from dataclasses import replace

import pytest

from antiphon.store.dynamodb import ConditionFailed, Update
from antiphon.store.items import Items
from antiphon.store.links import Links
from tests.support.dynamodb import make_link, owned_items
from tests.support.metrics import format_log

LINK = make_link(id="resp_1", request_id="r-1", status="in_progress")
OUTCOME = {"status": "completed", "completed_at": 7}


@pytest.fixture
def links(store):
    return store.links


@pytest.fixture
def items(store):
    return Items(store.batch)


def test_a_restored_link_does_not_undo_later_changes(links):
    for _ in range(2):  # the queue may deliver a message twice
        links.restore(LINK)
        links.change(LINK, deleted_at=5)
    assert links.find("response", "acme", "resp_1").deleted_at == 5


def test_only_the_same_request_may_write_a_link_again(links, caplog):
    links.put(LINK)
    links.put(replace(LINK, model="gpt-5"))
    assert links.get("response", "acme", "resp_1").model == "gpt-5"
    links.put(replace(LINK, request_id="r-2", model="o3"))
    assert links.get("response", "acme", "resp_1").model == "gpt-5"
    assert "link exists" in format_log(caplog)


def test_a_deleted_link_is_found_but_not_given_to_callers(links):
    links.put(LINK)
    links.change(LINK, deleted_at=5)
    links.put(LINK)
    assert links.get("response", "acme", "resp_1") is None
    assert links.find("response", "acme", "resp_1").deleted_at == 5


def test_an_expired_link_is_found_but_not_given_to_callers(links):
    expired = replace(LINK, expires_at=int(time.time()) - 1)  # until DynamoDB removes the row
    links.put(expired)
    assert links.get("response", "acme", "resp_1") is None
    assert links.find("response", "acme", "resp_1") == expired


@pytest.mark.parametrize("final", ["completed", "failed", "incomplete", "cancelled"])
@pytest.mark.parametrize(
    "late",
    [
        {"status": "in_progress", "usage": None, "completed_at": None},
        {"unfinished": "cut"},
        {"status": "queued", "usage": None, "unfinished": "error"},
        {"unfinished": "given up: still running"},
    ],
    ids=str,
)
def test_an_outcome_that_is_not_final_replaces_none_that_is(links, final, late):
    ended = replace(LINK, status=final, usage={"total_tokens": 7}, completed_at=7)
    links.put(ended)
    links.change(LINK, **late)
    assert links.get("response", "acme", "resp_1") == ended


@pytest.mark.parametrize(
    "change",
    [{"metadata": {"a": "b"}}, {"deleted_at": 5}, {**OUTCOME, "unfinished": None}],
    ids=str,
)
def test_an_ended_link_takes_all_other_changes(links, change):
    ended = replace(LINK, status="failed", unfinished="error")
    links.put(ended)
    links.change(ended, **change)
    assert links.find("response", "acme", "resp_1") == replace(ended, **change)


def test_link_and_items_are_changed_in_one_transaction(store, links, items):
    links.put(LINK)
    updates = items.ownership_updates(LINK, ["msg_1", "rs_1"])
    with store.count_calls() as calls:
        links.change_with(LINK, OUTCOME, updates)
    assert calls == ["TransactWriteItems"]
    assert links.get("response", "acme", "resp_1") == replace(LINK, **OUTCOME)
    assert owned_items(items, "acme", ["msg_1", "rs_1"]) == {"msg_1": "openai", "rs_1": "openai"}


def test_a_change_without_items_is_a_single_update(store, links):
    links.put(LINK)
    with store.count_calls() as calls:
        links.change_with(LINK, OUTCOME, [])
    assert calls == ["UpdateItem"]
    assert links.get("response", "acme", "resp_1") == replace(LINK, **OUTCOME)


def test_the_link_of_another_request_is_not_changed_and_its_items_are_not_owned(
    links, items, caplog
):
    links.put(replace(LINK, request_id="r-2"))
    links.change_with(LINK, OUTCOME, items.ownership_updates(LINK, ["msg_1"]))
    assert links.get("response", "acme", "resp_1").status == "in_progress"
    assert owned_items(items, "acme", ["msg_1"]) == {}
    assert "link has another owner" in format_log(caplog)


def test_a_failed_condition_of_a_transaction_has_the_row(store, links):
    links.put(LINK)
    row = store.table.get("T#acme#R#resp_1", "LINK")
    updates = [
        Update(partition="T#acme#X#msg_1", sort="ITEM", sets={"id": "msg_1"}),
        Update(
            partition=row["pk"],
            sort=row["sk"],
            sets=OUTCOME,
            only_if="#request_id = :request_id",
            values={"request_id": "r-2"},
        ),
    ]
    with pytest.raises(ConditionFailed) as caught:
        store.table.transact(updates)
    assert caught.value.item == row
    assert store.table.get("T#acme#X#msg_1", "ITEM") is None


def test_a_link_survives_the_table_unchanged(store):
    links, link = Links(store.table), make_link(usage={"input_tokens": 3}, metadata={"a": "b"})
    links.put(link)
    assert links.get("response", "acme", link.id) == link
