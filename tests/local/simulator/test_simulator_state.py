"""Responses that are stored, continued, listed and deleted; conversations."""

import openai
import pytest

from infra.local.simulator.bounded_store import BoundedStore


def create(client, text, **more):
    return client.responses.create(model="gpt-4.1", input=text, **more)


def test_a_response_continues_the_previous_one(client):
    first = create(client, "One")
    second = create(client, "Two", previous_response_id=first.id)
    third = create(client, "Three", previous_response_id=second.id)
    assert third.output_text == "You said: Three (Turn 3; before that you said: Two)"
    assert client.responses.retrieve(third.id).to_dict() == third.to_dict()


def test_an_unstored_response_cannot_be_continued_or_retrieved(client):
    first = create(client, "One", store=False)
    with pytest.raises(openai.BadRequestError) as error:
        create(client, "Two", previous_response_id=first.id)
    assert error.value.code == "previous_response_not_found"
    assert error.value.body["message"] == f"Previous response with id '{first.id}' not found."
    with pytest.raises(openai.NotFoundError, match=f"Response with id '{first.id}' not found"):
        client.responses.retrieve(first.id)


def test_a_deleted_response_is_not_found(client):
    id = create(client, "One").id
    client.responses.delete(id)
    for method in (client.responses.retrieve, client.responses.delete, client.responses.cancel):
        with pytest.raises(openai.NotFoundError, match=f"Response with id '{id}' not found"):
            method(id)


def test_customers_and_providers_share_no_responses(client, other, azure):
    id = create(client, "One").id
    for stranger in (other, azure):
        with pytest.raises(openai.NotFoundError):
            stranger.responses.retrieve(id)


def test_a_rotated_key_has_the_same_account(client):
    old, new = client.with_options(api_key="sk-a.1"), client.with_options(api_key="sk-a.2")
    id = create(old, "One").id
    assert new.responses.retrieve(id).id == id


def test_input_items_are_paged(client):
    items = [{"role": "user", "content": f"Line {number}"} for number in range(7)]
    id = create(client, items).id
    pages = client.responses.input_items.list(id, limit=3, order="asc")
    assert [item.content[0].text for item in pages] == [f"Line {number}" for number in range(7)]
    newest = client.responses.input_items.list(id, limit=2)
    assert [item.content[0].text for item in newest.data] == ["Line 6", "Line 5"]
    assert newest.has_more


def test_input_items_include_the_previous_response(client):
    first = create(client, "One")
    second = create(client, "Two", previous_response_id=first.id)
    items = list(client.responses.input_items.list(second.id, order="asc"))
    assert [item.role for item in items] == ["user", "assistant", "user"]


def test_an_item_reference_is_resolved(client, other):
    first = create(client, "One")
    reference = {"type": "item_reference", "id": first.output[0].id}
    input_items = [reference, {"role": "user", "content": "Two"}]
    second = create(client, input_items)
    assert second.output_text == "You said: Two"
    items = list(client.responses.input_items.list(second.id, order="asc"))
    assert items[0].content[0].text == "You said: One"
    with pytest.raises(openai.NotFoundError, match="Item with id"):
        create(other, input_items)


def test_a_conversation_grows_with_each_response(client):
    conversation = client.conversations.create(
        metadata={"topic": "rain"}, items=[{"type": "message", "role": "user", "content": "Hello"}]
    )
    assert create(client, "One", conversation=conversation.id).conversation.id == conversation.id
    second = create(client, "Two", conversation={"id": conversation.id}, store=False)
    assert second.output_text == "You said: Two (Turn 3; before that you said: One)"
    items = client.conversations.items.list(conversation.id, order="asc", limit=2)
    assert [item.role for item in items] == ["user", "user", "assistant", "user", "assistant"]


def test_a_conversation_is_changed_and_deleted(client):
    id = client.conversations.create().id
    assert client.conversations.retrieve(id).metadata == {}
    assert client.conversations.update(id, metadata={"a": "b"}).metadata == {"a": "b"}
    added = client.conversations.items.create(
        id, items=[{"type": "message", "role": "user", "content": "Hi"}]
    )
    assert added.first_id == added.last_id == added.data[0].id
    assert client.conversations.items.retrieve(added.first_id, conversation_id=id).role == "user"
    assert client.conversations.items.delete(added.first_id, conversation_id=id).id == id
    assert list(client.conversations.items.list(id)) == []
    assert client.conversations.delete(id).deleted
    with pytest.raises(openai.NotFoundError, match="Conversation with id"):
        client.conversations.retrieve(id)
    with pytest.raises(openai.NotFoundError, match="Conversation with id"):
        create(client, "One", conversation=id)


def test_a_conversation_is_locked_during_a_response(client):
    id = client.conversations.create().id
    running = client.responses.create(
        model="sim-queued-30s", input="One", conversation=id, background=True
    )
    with pytest.raises(openai.BadRequestError) as error:
        create(client, "Two", conversation=id)
    assert error.value.code == "conversation_locked"
    client.responses.cancel(running.id)
    assert create(client, "Two", conversation=id).status == "completed"


def test_a_failed_response_does_not_change_the_conversation(client):
    id = client.conversations.create().id
    client.responses.create(model="sim-failed", input="One", conversation=id)
    assert list(client.conversations.items.list(id)) == []


def test_tokens_are_counted_and_conversations_compacted(client):
    few = client.responses.input_tokens.count(model="gpt-4.1", input="Hi").input_tokens
    many = client.responses.input_tokens.count(model="gpt-4.1", input="Hi " * 100).input_tokens
    assert 0 < few < many
    compacted = client.responses.compact(model="gpt-4.1", input="Hi")
    assert [item.type for item in compacted.output] == ["message", "compaction"]
    assert compacted.usage.input_tokens == few
    assert (
        create(client, [item.to_dict(warnings=False) for item in compacted.output]).status
        == "completed"
    )


def test_a_bounded_store_removes_the_oldest_values():
    store = BoundedStore(max_count=3, max_weight=10)
    for number in range(5):
        store.put(str(number), number)
    assert [store.get(str(number)) for number in range(5)] == [None, None, 2, 3, 4]
    store.put("heavy", 9, weight=10)
    store.put("heavier", 9, weight=8)
    assert (store.get("heavy"), store.get("heavier"), len(store)) == (None, 9, 1)
    store.put("too heavy", 9, weight=11)
    assert len(store) == 0
