"""What openai-python does with responses and conversations that are there already."""

import openai
import pytest

from tests.clients.sdk import opened
from tests.support.gateway import KEYS

ASK = {"model": "sim-text", "input": "Hello"}


@pytest.fixture
def gateway(played):
    return played


def message(role, text):
    return {"type": "message", "role": role, "content": text}


async def test_a_response_is_retrieved_as_it_was(sdk):
    made = await sdk.create(**ASK)
    assert await sdk.call("responses.retrieve", made.id) == made


async def test_a_stream_is_resumed_behind_the_event_that_came_last(sdk):
    events = [event async for event in sdk.streamed(**ASK, background=True)]
    id, last = events[0].response.id, 4
    resumed = await sdk.call("responses.retrieve", id, stream=True, starting_after=last)
    assert await sdk.drain(resumed) == events[last + 1 :]


async def test_a_deleted_response_is_gone(sdk):
    id = (await sdk.create(**ASK)).id
    await sdk.call("responses.delete", id)
    with pytest.raises(openai.NotFoundError):
        await sdk.call("responses.retrieve", id)


async def test_work_in_the_background_is_cancelled(sdk):
    made = await sdk.create(model="sim-slow", input="Hello", background=True)
    got = await sdk.call("responses.cancel", made.id)
    assert (got.id, got.status) == (made.id, "cancelled")


async def test_input_items_come_page_by_page(sdk):
    words = ["one", "two", "three"]
    id = (await sdk.create(model="sim-text", input=[message("user", word) for word in words])).id
    items = await sdk.pages("responses.input_items.list", id, limit=1, order="asc")
    assert [item.content[0].text for item in items] == words


async def test_a_conversation_lives_from_its_first_item_to_its_end(sdk):
    made = await sdk.call(
        "conversations.create", items=[message("user", "one")], metadata={"a": "b"}
    )
    got = await sdk.create(model="sim-text", input="two", conversation=made.id)
    assert got.output_text == "You said: two (Turn 2; before that you said: one)"
    items = await sdk.pages("conversations.items.list", made.id, limit=2, order="asc")
    assert [item.content[0].text for item in items] == ["one", "two", got.output_text]
    (added,) = (
        await sdk.call("conversations.items.create", made.id, items=[message("user", "three")])
    ).data
    place = {"conversation_id": made.id}
    assert (await sdk.call("conversations.items.retrieve", added.id, **place)).id == added.id
    await sdk.call("conversations.items.delete", added.id, **place)
    updated = await sdk.call("conversations.update", made.id, metadata={"a": "c"})
    assert await sdk.call("conversations.retrieve", made.id) == updated
    assert updated.metadata == {"a": "c"}
    assert (await sdk.call("conversations.delete", made.id)).deleted
    with pytest.raises(openai.NotFoundError):
        await sdk.call("conversations.retrieve", made.id)


@pytest.mark.parametrize("is_streamed", [False, True], ids=["json", "stream"])
async def test_a_container_that_ran_code_is_used_again(sdk, gateway, door, flavour, is_streamed):
    create = {**ASK, "tools": [{"type": "code_interpreter", "container": {"type": "auto"}}]}
    if is_streamed:
        *_, end = [event async for event in sdk.streamed(**create)]
        made = end.response
    else:
        made = await sdk.create(**create)
    container = made.output[0].container_id
    again = {**ASK, "tools": [{"type": "code_interpreter", "container": container}]}
    assert (await sdk.create(**again)).output[0].container_id == container
    assert (await sdk.call("containers.retrieve", container)).id == container
    base = gateway.base(door)
    async with opened(flavour, base_url=base, api_key=KEYS["umbra"]) as foreign:
        with pytest.raises(openai.NotFoundError, match=container):
            await foreign.create(**again)
        with pytest.raises(openai.NotFoundError, match=container):
            await foreign.call("containers.retrieve", container)
    assert (await sdk.call("containers.delete", container)) is None
    with pytest.raises(openai.NotFoundError, match=container):
        await sdk.create(**again)


async def test_tokens_are_counted_before_they_are_paid_for(sdk):
    assert (await sdk.call("responses.input_tokens.count", **ASK)).input_tokens > 0


async def test_a_conversation_is_compacted(sdk):
    got = await sdk.call("responses.compact", **ASK)
    assert got.output[-1].type == "compaction"


async def test_the_models_are_those_that_the_key_may_call(sdk):
    listed = [model.id for model in await sdk.pages("models.list")]
    assert {"public", "o3", "gpt-5"} <= set(listed)
    assert (await sdk.call("models.retrieve", "public")).id == "public"
    with pytest.raises(openai.NotFoundError):
        await sdk.call("models.retrieve", "nobody-offers-it")


@pytest.mark.parametrize("name", ["retrieve", "delete", "cancel", "input_items.list"])
async def test_nobody_reaches_what_is_anothers(sdk, gateway, door, flavour, name):
    made = await sdk.create(**ASK, background=True)
    base, ways = gateway.base(door), {"input_items.list": "pages"}
    async with opened(flavour, base_url=base, api_key=KEYS["umbra"]) as foreign:
        with pytest.raises(openai.NotFoundError, match="not found"):
            await getattr(foreign, ways.get(name, "call"))(f"responses.{name}", made.id)
    assert (await sdk.call("responses.retrieve", made.id)).id == made.id
