"""Vector stores by the SDK: files one by one and in batches, search, and what is refused."""

import httpx
import openai
import pytest
from openai import AsyncOpenAI

from tests.local.simulator.reply import KEY, NO_TLS

PLANTS = b"Roses are red.\n\nViolets grow in the shade of old walls.\n\nGrass is green."
ROCKS = b"Granite is hard.\n\nViolets do not grow on granite walls."


@pytest.fixture(params=["client", "azure"])
def sdk(request):
    return request.getfixturevalue(request.param)


def create_file(client, content=PLANTS, name="plants.txt", purpose="assistants"):
    return client.files.create(file=(name, content), purpose=purpose).id


@pytest.fixture
def store(client):
    return client.vector_stores.create(name="Garden")


def test_a_tour_of_a_store(sdk, other):
    file = create_file(sdk)
    store = sdk.vector_stores.create(
        name="Garden",
        file_ids=[file],
        metadata={"a": "b"},
        expires_after={"anchor": "last_active_at", "days": 2},
    )
    assert (store.status, store.file_counts.in_progress) == ("in_progress", 1)
    assert sdk.vector_stores.files.poll(file, vector_store_id=store.id).status == "completed"
    store = sdk.vector_stores.retrieve(store.id)
    assert (store.status, store.usage_bytes) == ("completed", len(PLANTS))
    assert store.expires_at == store.last_active_at + 2 * 86_400
    assert sdk.vector_stores.update(store.id, name="Park", metadata=None).name == "Park"
    assert store.id in {each.id for each in sdk.vector_stores.list(limit=1)}
    assert store.id not in {each.id for each in other.vector_stores.list()}
    with pytest.raises(openai.NotFoundError):
        other.vector_stores.search(store.id, query="violets")
    text = sdk.vector_stores.files.content(file, vector_store_id=store.id).data[0].text
    assert text == PLANTS.decode()
    assert sdk.vector_stores.delete(store.id).deleted
    assert sdk.files.retrieve(file).id == file
    with pytest.raises(openai.NotFoundError):
        sdk.vector_stores.retrieve(store.id)


async def test_the_asynchronous_helpers_work(simulator):
    async with AsyncOpenAI(base_url=f"{simulator}/v1", api_key="sk-async") as client:
        store = await client.vector_stores.create()
        uploaded = await client.vector_stores.files.upload_and_poll(
            vector_store_id=store.id, file=("rocks.txt", ROCKS), attributes={"kind": "rock"}
        )
        assert (uploaded.status, uploaded.attributes) == ("completed", {"kind": "rock"})
        batch = await client.vector_stores.file_batches.upload_and_poll(
            store.id, files=[("a.txt", PLANTS), ("b.txt", PLANTS)]
        )
        assert (batch.status, batch.file_counts.completed) == ("completed", 2)
        names = [each.id async for each in client.vector_stores.files.list(store.id, limit=2)]
        assert len(set(names)) == 3
        assert len([each async for each in client.files.list(limit=2)]) == 3


def test_files_are_added_in_batches(client, store):
    ids = [create_file(client, name=name) for name in ("a.txt", "b.txt", "sim-failed.txt")]
    entries = [{"file_id": ids[0], "attributes": {"n": 1}}, {"file_id": ids[1]}]
    batches = client.vector_stores.file_batches
    first = batches.create_and_poll(store.id, files=entries)
    assert (first.status, first.file_counts.completed) == ("completed", 2)
    second = batches.create_and_poll(store.id, file_ids=ids[1:], attributes={"n": 2})
    assert (second.status, second.file_counts.failed) == ("completed", 1)
    failed = batches.list_files(second.id, vector_store_id=store.id, filter="failed").data
    assert [(file.id, file.last_error.code) for file in failed] == [(ids[2], "invalid_file")]
    files = client.vector_stores.files.list(store.id, order="asc")
    assert [(file.id, file.attributes) for file in files] == [
        (ids[0], {"n": 1}),
        (ids[1], {"n": 2}),
        (ids[2], {"n": 2}),
    ]


def test_a_batch_is_cancelled(client, store):
    ids = [create_file(client, name=f"sim-pending-9s.{n}") for n in range(2)]
    batch = client.vector_stores.file_batches.create(store.id, file_ids=ids)
    batch = client.vector_stores.file_batches.cancel(batch.id, vector_store_id=store.id)
    assert (batch.status, batch.file_counts.cancelled) == ("cancelled", 2)


def test_a_deleted_file_leaves_all_stores_and_a_detached_one_only_its_store(client, store):
    second = client.vector_stores.create().id
    ids = [create_file(client), create_file(client)]
    for each in (store.id, second):
        client.vector_stores.file_batches.create_and_poll(each, file_ids=ids)
    assert client.vector_stores.files.delete(ids[0], vector_store_id=store.id).deleted
    assert client.files.retrieve(ids[0]).id == ids[0]
    client.files.delete(ids[1])
    left = {each: client.vector_stores.files.list(each).data for each in (store.id, second)}
    assert [[file.id for file in files] for files in left.values()] == [[], [ids[0]]]


@pytest.mark.parametrize(
    ("query", "more", "found"),
    [
        ("Violets and walls", {}, ["plants.txt", "rocks.txt"]),
        (["granite", "walls"], {}, ["rocks.txt", "plants.txt"]),
        ("granite walls", {"max_num_results": 1}, ["rocks.txt"]),
        ("the moon", {}, ["plants.txt"]),
        ("moon", {}, []),
        ("walls", {"filters": {"type": "eq", "key": "kind", "value": "rock"}}, ["rocks.txt"]),
        (
            "walls",
            {
                "filters": {
                    "type": "and",
                    "filters": [
                        {"type": "gte", "key": "age", "value": 3},
                        {"type": "nin", "key": "kind", "value": ["rock"]},
                    ],
                }
            },
            ["plants.txt"],
        ),
    ],
)
def test_words_are_found(client, garden, query, more, found):
    page = client.vector_stores.search(garden, query=query, **more)
    assert [result.filename for result in page.data] == found
    assert all(0 < result.score <= 1 for result in page.data)
    if found:
        assert page.data[0].content[0].text in (PLANTS + ROCKS).decode()


@pytest.fixture(scope="session")
def garden(client):
    store = client.vector_stores.create().id
    for content, name, attributes in [
        (PLANTS, "plants.txt", {"kind": "plant", "age": 3}),
        (ROCKS, "rocks.txt", {"kind": "rock", "age": 4e9}),
    ]:
        file = create_file(client, content, name)
        client.vector_stores.files.create_and_poll(
            file, vector_store_id=store, attributes=attributes
        )
    return store


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "message"),
    [
        ("POST", "", {"file_ids": ["file-none"]}, 404, "No such File object: file-none"),
        ("POST", "", {"file_ids": ["x"] * 501}, 400, "maximum length 500"),
        ("POST", "", {"expires_after": {"days": "2"}}, 400, "expected an integer"),
        ("POST", "", {"name": "sim-503"}, 503, "overloaded"),
        ("POST", "/{id}/files", {"file_id": "file-none"}, 404, "No such File object"),
        ("POST", "/{id}/files", {}, 400, "'file_id'"),
        ("POST", "/{id}/files/file-none", {"attributes": {}}, 404, "No file found with id"),
        ("DELETE", "/{id}/files/file-none", None, 404, "in vector store '{id}'"),
        ("POST", "/{id}/file_batches", {"files": [{}]}, 400, "Invalid type"),
        ("POST", "/{id}/file_batches", {}, 400, "'file_ids'"),
        ("GET", "/{id}/file_batches/vsfb_none", None, 404, "No file batch found"),
        ("GET", "/{id}/files?filter=new", None, 400, "'new' is no status"),
        ("POST", "/{id}/search", {}, 400, "'query'"),
        ("POST", "/{id}/search", {"query": "walls", "filters": {"type": "x"}}, 400, "Invalid type"),
        ("POST", "/{id}/search", {"query": "x", "max_num_results": 51}, 400, "<= 50"),
    ],
)
def test_what_is_refused(simulator, garden, method, path, body, status, message):
    url = f"{simulator}/v1/vector_stores{path.format(id=garden)}"
    reply = httpx.request(method, url, headers=KEY, json=body, verify=NO_TLS)
    assert reply.status_code == status
    assert message.format(id=garden) in reply.json()["error"]["message"]


def test_an_expired_store_is_shown_but_not_used(client):
    store = client.vector_stores.create(name="sim-expired").id
    assert client.vector_stores.retrieve(store).status == "expired"
    for call in (
        lambda: client.vector_stores.search(store, query="walls"),
        lambda: client.vector_stores.files.create(store, file_id=create_file(client)),
    ):
        with pytest.raises(openai.BadRequestError, match="is expired"):
            call()
