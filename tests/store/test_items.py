"""Owners of items: recorded with their link in one transaction, or in batches."""

import pytest

from antiphon.store.items import MAX_UPDATES, Items
from tests.support.dynamodb import make_link, owned_items

LINK = make_link(id="resp_1", target="azure")


@pytest.fixture
def items(store):
    return Items(store.batch)


def test_a_tenant_owns_its_items_at_their_target(items):
    items.own("acme", ["msg_1", "msg_1", "rs_1"], "openai", LINK.expires_at)
    assert owned_items(items, "acme", ["rs_1", "msg_1", "msg_2"]) == {
        "msg_1": "openai",
        "rs_1": "openai",
    }
    assert owned_items(items, "umbra", ["msg_1"]) == {}


def test_expired_items_are_not_owned(items):
    items.own("acme", ["msg_1"], "openai", 1)
    assert owned_items(items, "acme", ["msg_1"]) == {}


@pytest.mark.parametrize("count", [0, 1, 98, 99])
def test_up_to_99_items_are_left_to_the_transaction(store, items, count):
    with store.count_calls() as calls:
        updates = items.ownership_updates(LINK, (f"msg_{n}" for n in range(count)))
    assert (len(updates), calls) == (count, [])


@pytest.mark.parametrize("count", [100, 101, 250])
def test_items_beyond_99_are_written_at_once(store, items, count):
    ids = [f"msg_{n}" for n in range(count)]
    with store.count_calls() as calls:
        updates = items.ownership_updates(LINK, ids)
    assert len(updates) == MAX_UPDATES == 99
    assert calls == ["BatchWriteItem"] * -(-(count - 99) // 25)
    assert owned_items(items, "acme", ids) == dict.fromkeys(ids[99:], "azure")


def test_all_items_of_a_large_response_are_owned_after_the_transaction(store, items):
    ids = [f"msg_{n}" for n in range(120)]
    store.links.put(LINK)
    store.links.change_with(LINK, {"status": "completed"}, items.ownership_updates(LINK, ids))
    assert owned_items(items, "acme", ids) == dict.fromkeys(ids, "azure")


def test_repeated_ids_are_one_update(items):
    updates = items.ownership_updates(LINK, ["msg_1", "msg_2", "msg_1"])
    assert [update.partition for update in updates] == ["T#acme#X#msg_1", "T#acme#X#msg_2"]


def test_an_update_writes_the_same_row_as_a_batch(store, items):
    items.own("acme", ["msg_1"], "azure", LINK.expires_at)
    [update] = items.ownership_updates(LINK, ["msg_2"])
    written = store.table.update(update)
    assert written == {
        **store.table.get("T#acme#X#msg_1", "ITEM"),
        "pk": "T#acme#X#msg_2",
        "id": "msg_2",
    }
