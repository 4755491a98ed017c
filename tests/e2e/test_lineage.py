"""The tree that a response belongs to, at both doors."""

import pytest

from tests.support.events import new_id
from tests.support.requests import (
    create_conversation,
    create_from_request,
    create_response,
    delete_response,
    list_ids,
    read_list,
)


@pytest.fixture
def acme(gateway, door):
    with gateway.client(door) as client:
        yield client


@pytest.fixture
def umbra(gateway, door):
    with gateway.client(door, "umbra") as client:
        yield client


def test_lineage_is_the_whole_tree_from_any_of_its_responses(acme, provider):
    root = create_response(acme, provider)
    left, right = (create_from_request(acme, provider, previous_response_id=root) for _ in range(2))
    leaf = create_from_request(acme, provider, previous_response_id=left)
    for id in (root, left, right, leaf):
        page = read_list(acme, f"/responses/{id}/lineage")
        assert list_ids(page) == [root, left, right, leaf]
        assert (page["root"], page["object"], page["has_more"]) == (root, "list", False)
    parents = [link["previous_response_id"] for link in page["data"]]
    assert parents == [None, root, root, left]
    first = read_list(acme, f"/responses/{leaf}/lineage", limit=3)
    second = read_list(acme, f"/responses/{leaf}/lineage", limit=3, after=first["last_id"])
    assert (first["has_more"], list_ids(second), second["has_more"]) == (True, [leaf], False)
    assert list_ids(read_list(acme, f"/responses/{root}/lineage", order="desc"))[0] == leaf
    assert provider.received == []


def test_lineage_in_a_conversation_is_the_conversations(acme, provider):
    conversation = create_conversation(acme, provider)
    turns = [create_from_request(acme, provider, conversation=conversation) for _ in range(2)]
    first = read_list(acme, f"/responses/{turns[1]}/lineage", limit=1)
    assert (first["root"], list_ids(first)) == (conversation, [conversation])
    rest = read_list(acme, f"/responses/{turns[0]}/lineage", after=conversation)
    assert list_ids(rest) == turns


def test_lineage_of_what_is_not_the_tenants_own_is_not_found(acme, umbra, provider):
    foreign, deleted = create_response(umbra, provider), create_response(acme, provider)
    delete_response(acme, provider, deleted)
    answers = set()
    for id in (foreign, deleted, new_id(), create_conversation(acme, provider)):
        got = acme.get(f"/responses/{id}/lineage")
        answers.add((got.status_code, got.text.replace(id, "ID")))
    [(status, body)] = answers
    assert (status, "Response with id 'ID' not found." in body) == (404, True)


def test_a_cursor_of_another_tree_is_not_found(acme, provider):
    one, other = create_response(acme, provider), create_response(acme, provider)
    got = acme.get(f"/responses/{one}/lineage", params={"after": other})
    assert (got.status_code, got.json()["error"]["param"]) == (404, "after")
    assert acme.get(f"/responses/{one}/lineage?model=x").json()["error"]["param"] == "model"


def test_a_conversation_has_the_same_lineage_by_its_own_id(acme, umbra, provider):
    conversation = create_conversation(acme, provider)
    turn = create_from_request(acme, provider, conversation=conversation)
    page = read_list(acme, f"/conversations/{conversation}/lineage")
    assert (page["root"], list_ids(page)) == (conversation, [conversation, turn])
    assert umbra.get(f"/conversations/{conversation}/lineage").status_code == 404


def test_a_link_has_the_cost_of_its_tokens_and_who_served_it(acme, provider):
    id = create_from_request(acme, provider)
    (link,) = read_list(acme, f"/responses/{id}/lineage")["data"]
    assert link["cost_usd"] == "0.00004375"  # 3 input tokens and 4 output tokens of gpt-5
    assert (link["upstream_model"], link["key_id"][:4]) == ("gpt-5-2026", "key_")
    assert (link["unfinished"], link["expires_at"] > link["created_at"]) == (None, True)
