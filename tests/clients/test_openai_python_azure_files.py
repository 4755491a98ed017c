"""Files, stores, containers and batches by the clients for Azure OpenAI, at a simulated resource."""

import json

import pytest

from tests.clients.sdk import opened
from tests.support.gateway import KEYS

AZURE = {"x-antiphon-target": "simulated-azure"}
ROOTS = {  # of the ways to spell a path, and what the client needs for it
    "by its endpoint": lambda root: {"azure_endpoint": root, "api_version": "2025-04-01-preview"},
    "on the v1 path": lambda root: {"base_url": f"{root}/openai/v1", "api_version": "preview"},
}
ASK = {"model": "deployed", "input": "Hello"}
LINE = {"custom_id": "a", "method": "POST", "url": "/v1/responses", "body": ASK}


@pytest.fixture(params=ROOTS)
async def azure(request, played, door, flavour):
    where = ROOTS[request.param](played.base(door).removesuffix("/v1"))
    more = {"api_key": KEYS["acme"], "default_headers": AZURE}
    async with opened(flavour, "azure", **where, **more) as client:
        yield client


async def upload(azure, name, text, purpose="assistants"):
    return await azure.call("files.create", file=(name, text.encode()), purpose=purpose)


async def test_a_store_is_searched(azure):
    file = await upload(azure, "n.txt", "Antiphons are sung by two choirs.")
    assert file.id.startswith("assistant-")  # so it is Azure's own
    store = await azure.call("vector_stores.create", file_ids=[file.id])
    await azure.call(
        "vector_stores.files.poll", file.id, vector_store_id=store.id, poll_interval_ms=10
    )
    found = await azure.pages("vector_stores.search", store.id, query="choirs")
    assert [each.file_id for each in found] == [file.id]
    assert store.id in {each.id for each in await azure.pages("vector_stores.list", limit=10)}
    assert file in await azure.pages("files.list", limit=10)
    tools = [{"type": "file_search", "vector_store_ids": [store.id]}]
    raw = await azure.raw(model="public", input="Which choirs?", tools=tools)
    assert raw.headers["x-antiphon-target"] == "simulated-azure"
    (cited,) = raw.parse().output[-1].content[0].annotations
    assert cited.file_id == file.id
    await azure.call("vector_stores.delete", store.id)
    await azure.call("files.delete", file.id)


async def test_a_container_has_a_file(azure):
    container = await azure.call("containers.create", name="tour")
    file = await azure.call("containers.files.create", container.id, file=("n.txt", b"text"))
    ids = {"container_id": container.id}
    assert (await azure.call("containers.files.content.retrieve", file.id, **ids)).text == "text"
    await azure.call("containers.delete", container.id)


async def test_a_batch_names_the_deployment(azure):
    file = await upload(azure, "sim-pending-30s.jsonl", json.dumps(LINE), "batch")
    made = await azure.call(
        "batches.create",
        input_file_id=file.id,
        endpoint="/v1/responses",
        completion_window="24h",
    )
    assert (await azure.call("batches.retrieve", made.id)).input_file_id == file.id
    assert (await azure.call("batches.cancel", made.id)).status == "cancelling"
    assert made.id in {each.id for each in await azure.pages("batches.list", limit=10)}
