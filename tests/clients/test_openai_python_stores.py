"""Vector stores by openai-python, as its users call them; each belongs to one tenant."""

import openai
import pytest

NAMES = ("vector_stores.retrieve", "vector_stores.delete", "vector_stores.files.list")


@pytest.fixture
def gateway(played):
    return played


async def upload(sdk, text):
    return await sdk.call("files.create", file=("n.txt", text.encode()), purpose="assistants")


async def test_the_tour_of_a_store(sdk):
    first = await upload(sdk, "Antiphons are sung by two choirs.")
    store = await sdk.call("vector_stores.create", name="songs", file_ids=[first.id])
    second = await upload(sdk, "A motet has several voices.")
    await sdk.call("vector_stores.files.create_and_poll", second.id, vector_store_id=store.id)
    batch = await sdk.call(
        "vector_stores.file_batches.upload_and_poll",
        store.id,
        files=[("third.txt", b"A canon repeats one voice.")],
        poll_interval_ms=10,
    )
    assert (batch.status, batch.file_counts.completed) == ("completed", 1)
    found = await sdk.pages("vector_stores.search", store.id, query="choirs")
    assert [each.file_id for each in found] == [first.id]
    files = await sdk.pages("vector_stores.files.list", store.id, limit=1)
    assert len(files) == 3
    assert store.id in {each.id for each in await sdk.pages("vector_stores.list")}
    await sdk.call("vector_stores.update", store.id, name="choirs")
    listed = {each.id: each for each in await sdk.pages("vector_stores.list", limit=1)}
    assert listed[store.id].name == "choirs"
    assert (await sdk.call("vector_stores.delete", store.id)).deleted
    assert store.id not in {each.id for each in await sdk.pages("vector_stores.list")}


@pytest.mark.parametrize("way", ["create", "final"])
async def test_a_response_searches_a_store(sdk, way):
    file = await upload(sdk, "Antiphons are sung by two choirs.")
    store = await sdk.call("vector_stores.create", file_ids=[file.id])
    await sdk.call(
        "vector_stores.files.poll", file.id, vector_store_id=store.id, poll_interval_ms=10
    )
    response = await getattr(sdk, way)(
        model="gpt-4.1",
        input="Which choirs sing antiphons?",
        tools=[{"type": "file_search", "vector_store_ids": [store.id]}],
        include=["file_search_call.results"],
    )
    search, message = response.output
    assert [(each.file_id, each.text) for each in search.results] == [
        (file.id, "Antiphons are sung by two choirs.")
    ]
    assert [each.file_id for each in message.content[0].annotations] == [file.id]


async def test_a_store_of_another_tenant_is_unknown(sdk, stranger):
    store = await sdk.call("vector_stores.create", name="secret")
    for name in NAMES:
        with pytest.raises(openai.NotFoundError):
            await stranger.call(name, store.id)
    with pytest.raises(openai.NotFoundError):
        await stranger.call("vector_stores.search", store.id, query="secret")
    assert store.id not in {each.id for each in await stranger.pages("vector_stores.list")}


async def test_a_file_of_another_tenant_cannot_be_attached(sdk, stranger):
    """The store is the caller's own, the file is not."""
    foreign = await upload(stranger, "secret")
    with pytest.raises(openai.NotFoundError) as refusal:
        await sdk.call("vector_stores.create", file_ids=[foreign.id])
    assert refusal.value.param == "file_ids[0]"
    store = await sdk.call("vector_stores.create")
    with pytest.raises(openai.NotFoundError) as refusal:
        await sdk.call("vector_stores.files.create", store.id, file_id=foreign.id)
    assert refusal.value.param == "file_id"
    with pytest.raises(openai.NotFoundError) as refusal:
        await sdk.call(
            "vector_stores.file_batches.create", store.id, files=[{"file_id": foreign.id}]
        )
    assert refusal.value.param == "files[0].file_id"
