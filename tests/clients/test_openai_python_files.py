"""Files and uploads by openai-python, as its users call them; each belongs to one tenant."""

import io
import re
from functools import partial
from types import SimpleNamespace

import openai
import pytest

TEXT = "Antiphons are sung by two choirs.\r\nÜber alles Ä\n".encode()


@pytest.fixture
def gateway(played):
    return played


async def upload(sdk, name="notes.txt", purpose="assistants", data=TEXT):
    return await sdk.call("files.create", file=(name, data), purpose=purpose)


async def test_a_file_is_made_retrieved_and_deleted(sdk):
    made = await upload(sdk, "Übersicht „eins“.txt")
    assert (made.filename, made.bytes) == ("Übersicht „eins“.txt", len(TEXT))
    assert await sdk.call("files.retrieve", made.id) == made
    assert (await sdk.call("files.delete", made.id)).deleted
    with pytest.raises(openai.NotFoundError):
        await sdk.call("files.retrieve", made.id)


async def test_a_file_of_another_tenant_is_unknown(sdk, stranger):
    made = await upload(sdk, purpose="vision")
    for name in ("files.retrieve", "files.content", "files.delete"):
        with pytest.raises(openai.NotFoundError) as refusal:
            await stranger.call(name, made.id)
        with pytest.raises(openai.NotFoundError) as unknown:
            await stranger.call(name, "file-unknown")
        assert refusal.value.message == unknown.value.message.replace("file-unknown", made.id)
    assert await sdk.call("files.retrieve", made.id) == made


async def test_an_upload_in_parts_becomes_an_own_file(sdk, stranger):
    upload = await sdk.call(
        "uploads.create",
        bytes=len(TEXT),
        filename="n.txt",
        mime_type="text/plain",
        purpose="vision",
    )
    parts = [
        await sdk.call("uploads.parts.create", upload.id, data=io.BytesIO(half))
        for half in (TEXT[:20], TEXT[20:])
    ]
    with pytest.raises(openai.NotFoundError):
        await stranger.call("uploads.parts.create", upload.id, data=io.BytesIO(b"x"))
    with pytest.raises(openai.NotFoundError):
        await stranger.call("uploads.complete", upload.id, part_ids=[part.id for part in parts])
    done = await sdk.call("uploads.complete", upload.id, part_ids=[part.id for part in parts])
    assert (await sdk.call("files.retrieve", done.file.id)).bytes == len(TEXT)
    with pytest.raises(openai.NotFoundError):
        await stranger.call("files.retrieve", done.file.id)


async def test_the_code_in_the_refusal_of_a_large_file_uploads_it(sdk, tmp_path, monkeypatch):
    content = TEXT * 92_000
    with pytest.raises(openai.APIStatusError) as refusal:
        await upload(sdk, data=content)
    assert refusal.value.status_code == 413
    code = re.search(r"client\..*\)", refusal.value.body["message"]).group()
    chunked = partial(sdk.call, "uploads.upload_file_chunked")
    client = SimpleNamespace(uploads=SimpleNamespace(upload_file_chunked=chunked))
    (tmp_path / "report.pdf").write_bytes(content)
    monkeypatch.chdir(tmp_path)
    done = await eval(code, {"client": client})  # noqa: S307  it is the gateway's own
    assert (await sdk.call("files.retrieve", done.file.id)).bytes == len(content) > 4_500_000


async def test_a_repeated_upload_with_its_key_makes_one_file(sdk):
    """The client invents another boundary for each attempt."""
    ask = {"purpose": "assistants", "extra_headers": {"Idempotency-Key": f"once-{id(sdk)}"}}
    first = await sdk.call("files.create", file=("n.txt", TEXT), **ask)
    assert await sdk.call("files.create", file=("n.txt", TEXT), **ask) == first
    with pytest.raises(openai.UnprocessableEntityError, match="another request"):
        await sdk.call("files.create", file=("n.txt", TEXT + b"!"), **ask)


async def test_lists_have_own_files_alone_and_page_through_all(sdk, stranger):
    made = [await upload(sdk, f"{n}.txt", "user_data") for n in range(5)]
    foreign = await upload(stranger, purpose="user_data")
    ids = [each.id for each in made]
    pages = await sdk.pages("files.list", purpose="user_data", limit=2, order="asc")
    assert [each.id for each in pages][-5:] == ids
    assert pages[-5:] == made
    assert foreign.id not in {each.id for each in await sdk.pages("files.list")}
    newest = await sdk.call("files.list", limit=2)
    assert [each.id for each in newest.data] == ids[:2:-1]
    assert newest.has_more


async def test_all_files_are_deleted_while_their_list_is_read(sdk):
    for n in range(3):
        await upload(sdk, f"{n}.txt", "evals")
    pages = await sdk.call("files.list", purpose="evals", limit=1)
    while pages.data:
        await sdk.call("files.delete", pages.data[0].id)
        pages = await sdk.call("files.list", purpose="evals", limit=1, after=pages.data[0].id)
    assert await sdk.pages("files.list", purpose="evals") == []


async def test_a_cursor_of_another_tenant_is_unknown(sdk, stranger):
    foreign = await upload(stranger)
    with pytest.raises(openai.NotFoundError) as refusal:
        await sdk.call("files.list", after=foreign.id)
    assert refusal.value.param == "after"
