"""Files and uploads, by the SDK against both providers; what is refused; scenarios by file name."""

import hashlib
import io
import time

import httpx
import openai
import pytest

from infra.local.simulator.resource_scenarios import RESOURCE_SCENARIOS
from tests.local.simulator.reply import KEY, NO_TLS

TEXT = "Füße, €, 🎶\r\n--not-a-boundary\n".encode()


@pytest.fixture(params=["client", "azure"])
def sdk(request):
    return request.getfixturevalue(request.param)


@pytest.fixture
def project(client, request):
    """A customer of their own, so that nobody else adds to the lists."""
    return client.with_options(api_key=f"sk-{request.node.name}")


def create(client, name="notes.txt", purpose="vision", content=TEXT, **more):
    return client.files.create(file=(name, content), purpose=purpose, **more)


def test_a_tour_of_files(sdk, other):
    expiry = {"anchor": "created_at", "seconds": 3600}
    file = create(sdk, 'nötes "1".txt', expires_after=expiry)
    assert (file.bytes, file.status, file.object) == (len(TEXT), "processed", "file")
    assert file.filename == "nötes %221%22.txt"
    assert file.expires_at == file.created_at + 3600
    assert sdk.files.retrieve(file.id) == sdk.files.wait_for_processing(file.id) == file
    assert file in sdk.files.list(purpose="vision")
    assert file not in sdk.files.list(purpose="assistants")
    assert sdk.files.content(file.id).content == TEXT
    assert file.id not in {each.id for each in other.files.list()}
    with pytest.raises(openai.NotFoundError):
        other.files.content(file.id)
    assert sdk.files.delete(file.id).deleted
    with pytest.raises(openai.NotFoundError) as error:
        sdk.files.retrieve(file.id)
    is_azure = isinstance(sdk, openai.AzureOpenAI)
    text = "Resource not found" if is_azure else f"No such File object: {file.id}"
    assert error.value.body["message"] == text


@pytest.mark.parametrize("part_size", [7, 4 * 1024 * 1024])
def test_a_file_is_uploaded_in_parts(sdk, part_size):
    checksum = hashlib.md5(TEXT, usedforsecurity=False).hexdigest()
    upload = sdk.uploads.upload_file_chunked(
        file=TEXT,
        filename="a.png",
        bytes=len(TEXT),
        mime_type="image/png",
        purpose="vision",
        part_size=part_size,
        md5=checksum,
    )
    assert (upload.status, upload.file.bytes) == ("completed", len(TEXT))
    assert sdk.files.content(upload.file.id).content == TEXT
    with pytest.raises(openai.BadRequestError, match="has status 'completed'"):
        sdk.uploads.cancel(upload.id)


def test_an_incomplete_upload_is_refused_and_cancelled(client, other):
    upload = client.uploads.create(
        bytes=9, filename="a.txt", mime_type="text/plain", purpose="vision"
    )
    part = client.uploads.parts.create(upload.id, data=b"12345")
    for ids, more, error in [
        ([part.id], {}, "the parts have 5 bytes, but the upload has 9"),
        (["part_none"], {}, "No such Part"),
        ([part.id, client.uploads.parts.create(upload.id, data=b"6789").id], {"md5": "0"}, "md5"),
    ]:
        with pytest.raises(openai.APIStatusError, match=error):
            client.uploads.complete(upload.id, part_ids=ids, **more)
    with pytest.raises(openai.NotFoundError):
        other.uploads.parts.create(upload.id, data=b"1")
    cancelled = client.uploads.cancel(upload.id)
    assert (cancelled.status, cancelled.file) == ("cancelled", None)
    with pytest.raises(openai.BadRequestError, match="'cancelled'"):
        client.uploads.parts.create(upload.id, data=b"1")


def test_lists_are_paged_in_both_directions(project):
    ids = [create(project, content=b"x").id for _ in range(5)]
    assert [file.id for file in project.files.list(limit=2, order="asc")] == ids
    newest = project.files.list(limit=2)
    assert [file.id for file in newest.data] == ids[:2:-1]
    assert newest.has_more
    before = project.files.list(extra_query={"before": ids[0], "limit": 2})
    assert ([file.id for file in before.data], before.has_more) == ([ids[2], ids[1]], True)
    with pytest.raises(openai.BadRequestError, match="<= 10000"):
        project.files.list(limit=10_001)


@pytest.mark.parametrize(
    ("header", "status", "part"),
    [
        ({"range": "bytes=2-5"}, 206, slice(2, 6)),
        ({"range": "bytes=5-"}, 206, slice(5, None)),
        ({"range": "bytes=-4"}, 206, slice(-4, None)),
        ({"range": "bytes=0-999"}, 206, slice(None)),
        ({"range": "bytes=5-2"}, 200, slice(None)),
        ({"range": "bytes=0-1,3-4"}, 200, slice(None)),
        ({"range": "bytes=999-"}, 416, None),
        ({"range": "bytes=0-1", "if-range": '"other"'}, 200, slice(None)),
    ],
)
def test_a_part_of_a_content_is_sent(simulator, client, header, status, part):
    id = create(client).id
    url = f"{simulator}/v1/files/{id}/content"
    reply = httpx.get(url, headers={**KEY, **header}, verify=NO_TLS)
    assert reply.status_code == status
    if part is None:
        assert reply.headers["content-range"] == f"bytes */{len(TEXT)}"
        return
    assert reply.content == TEXT[part]
    first = TEXT.index(TEXT[part])
    place = f"bytes {first}-{first + len(reply.content) - 1}/{len(TEXT)}"
    assert reply.headers.get("content-range") == (place if status == 206 else None)
    assert reply.headers["accept-ranges"] == "bytes"
    again = {**KEY, "range": "bytes=0-1", "if-range": reply.headers["etag"]}
    assert httpx.get(url, headers=again, verify=NO_TLS).status_code == 206


@pytest.mark.parametrize("purpose", ["user_data", "assistants", "evals", "fine-tune"])
def test_some_purposes_forbid_the_download(client, purpose):
    file = create(client, purpose=purpose)
    with pytest.raises(openai.BadRequestError) as error:
        client.files.content(file.id)
    message = f"Not allowed to download files of purpose: {purpose}"
    assert error.value.body["message"] == message


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"purpose": "holiday"}, "'holiday' is not one of"),
        ({"purpose": ""}, "Missing required parameter: 'purpose'"),
        ({"purpose": "batch"}, "Must be .jsonl"),
        ({"name": "sim-none.txt"}, "no scenario 'sim-none'"),
        ({"expires_after": {"anchor": "created_at", "seconds": 60}}, ">= 3600"),
        ({"expires_after": {"anchor": "created_at", "seconds": "soon"}}, "an integer"),
        ({"expires_after": {"anchor": "now", "seconds": 4000}}, "expected 'created_at'"),
    ],
)
def test_invalid_forms_are_refused(client, more, message):
    with pytest.raises(openai.BadRequestError, match=message):
        create(client, **more)


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("application/json", b"{}"),
        ("multipart/form-data", b"--x--"),
        ("multipart/form-data; boundary=x", b"--x\r\n"),
        ("multipart/form-data; boundary=x", b"--y\r\n\r\n--y--\r\n"),
        ("multipart/form-data; boundary=x", b"--x\r\nA: b\r\n\r\n\r\n--x--\r\n"),
        ("multipart/form-data; boundary=x", b'--x\r\nC; name="a\xff"\r\n\r\n\r\n--x--\r\n'),
        ("multipart/form-data; boundary=x", b'--x\r\nC; name="file"\r\n\r\n1\r\n--x'),
    ],
)
def test_a_damaged_form_is_refused(simulator, content_type, body):
    headers = {**KEY, "content-type": content_type}
    reply = httpx.post(f"{simulator}/v1/files", headers=headers, content=body, verify=NO_TLS)
    assert (reply.status_code, reply.json()["error"]["code"]) == (400, "invalid_multipart")


def test_azure_has_its_own_ids_and_lifetimes_of_batch_files(azure):
    assert create(azure, purpose="assistants").id.startswith("assistant-")
    batch = create(azure, "a.jsonl", "batch")
    assert len(batch.id) == len("file-") + 32
    assert batch.expires_at == batch.created_at + 30 * 86_400
    with pytest.raises(openai.BadRequestError, match=">= 1209600"):
        create(azure, "a.jsonl", "batch", expires_after={"anchor": "created_at", "seconds": 3600})
    form = {"purpose": "batch", "expires_after.anchor": "created_at"}
    reply = azure.files.create(
        file=("a.jsonl", io.BytesIO(b"{}")),
        purpose="batch",
        extra_body={**form, "expires_after.seconds": "1209600"},
    )
    assert reply.expires_at == reply.created_at + 1_209_600


def is_created(project, name):
    return name in {file.filename for file in project.files.list()}


def check_failure(status, *, created):
    def check(project, name):
        with pytest.raises(openai.APIStatusError) as error:
            create(project, name)
        assert error.value.status_code == status
        assert is_created(project, name) == created

    return check


def check_reset(project, name):
    with pytest.raises(openai.APIConnectionError):
        create(project, name)
    assert is_created(project, name)


def check_delay(project, name):
    started = time.monotonic()
    file = create(project, name)
    created = time.monotonic()
    assert created - started > 0.05
    assert project.files.content(file.id).content == TEXT
    assert time.monotonic() - created > 0.05


def check_pending(project, name):
    file = create(project, name)
    assert file.status == "uploaded"
    assert project.files.wait_for_processing(file.id, poll_interval=0.01).status == "processed"


def check_failed(project, name):
    assert create(project, name).status == "error"


def check_expired(project, name):
    file = create(project, name)
    assert not is_created(project, name)
    with pytest.raises(openai.NotFoundError):
        project.files.retrieve(file.id)


def check_size(project, name):
    file = create(project, name)
    assert file.bytes == 200_000
    content = project.files.content(file.id).content
    assert content == (TEXT * 200_000)[:200_000]


def check_cut(project, name):
    file = create(project, name, content=b"x" * 200_000)
    with pytest.raises(openai.APIConnectionError):
        project.files.content(file.id)


CHECKS = {
    "sim-500.txt": check_failure(500, created=True),
    "sim-503.txt": check_failure(503, created=False),
    "sim-429-2s.txt": check_failure(429, created=False),
    "sim-reset.txt": check_reset,
    "sim-slow-60ms.txt": check_delay,
    "sim-pending-60ms.txt": check_pending,
    "sim-failed.txt": check_failed,
    "sim-expired.txt": check_expired,
    "sim-size-200000.txt": check_size,
    "sim-cut.txt": check_cut,
}


@pytest.mark.parametrize("name", CHECKS)
def test_a_file_name_has_its_documented_effect(project, name):
    CHECKS[name](project, name)


def test_every_scenario_of_resources_has_a_check():
    checked = (*CHECKS, "sim-half.jsonl")  # the last in test_simulator_batches.py
    assert all(any(file.startswith(name) for file in checked) for name in RESOURCE_SCENARIOS)
    assert all(scenario.about.endswith(".") for scenario in RESOURCE_SCENARIOS.values())


def test_an_upload_has_the_effect_of_its_name_at_the_end(project):
    with pytest.raises(openai.InternalServerError):
        project.uploads.upload_file_chunked(
            file=TEXT,
            filename="sim-500.txt",
            bytes=len(TEXT),
            mime_type="text/plain",
            purpose="vision",
        )
    assert is_created(project, "sim-500.txt")
