"""Real answers of files, stores, containers, batches and skills are as the document says."""

import json
import re

import pytest

from infra.reference.containers import CONTAINERS
from infra.reference.document import PATH
from infra.reference.files import FILES
from tests.support.lazy import LazyModule

DOCUMENT = json.loads(PATH.read_text("utf-8"))
jsonschema = LazyModule("jsonschema")
PARTS = {"components": DOCUMENT["components"]}  # which references point into
ID = {  # by the collection in a path: what `{id}` and the other names stand for
    "files": {"id": "file"},
    "uploads": {"id": "upload"},
    "vector_stores": {
        "id": "vector_store",
        "file_id": "file",
        "batch_id": "vector_store.files_batch",
    },
    "containers": {"id": "container", "file_id": "container.file"},
    "batches": {"id": "batch"},
    "skills": {"id": "skill", "version_id": "version"},
}
ASK = {"model": "gpt-4.1", "input": "Hello"}
LINE = {"custom_id": "a", "method": "POST", "url": "/v1/responses", "body": ASK}
NEW_UPLOAD = {"bytes": 4, "filename": "a.txt", "mime_type": "text/plain", "purpose": "vision"}
NEW_BATCH = {"input_file_id": "$file", "endpoint": "/v1/responses", "completion_window": "24h"}


def form(name, filename, content, **fields):
    return {"files": {name: (filename, content)}, "data": fields}


def skill(name):
    manifest = f"---\nname: {name}\ndescription: Adds\n---\n"
    return form("files[]", "add/SKILL.md", manifest.encode())


# Each call, with what it sends; `$file` is the id of the latest file, and so on.
TOUR = [
    ("POST /uploads", NEW_UPLOAD),
    ("POST /uploads/{id}/cancel", None),
    ("POST /uploads", NEW_UPLOAD),
    ("POST /uploads/{id}/parts", form("data", "part", b"text")),
    ("POST /uploads/{id}/complete", {"part_ids": ["$upload.part"]}),
    ("POST /files", form("file", "a.txt", b"text", purpose="vision")),
    ("GET /files", None),
    ("GET /files/{id}", None),
    ("GET /files/{id}/content", None),
    ("POST /vector_stores", {"name": "songs", "metadata": {"team": "search"}}),
    ("POST /vector_stores/{id}", {"name": "choirs"}),
    ("GET /vector_stores/{id}", None),
    ("POST /vector_stores/{id}/files", {"file_id": "$file"}),
    ("POST /vector_stores/{id}/files/{file_id}", {"attributes": {"year": 2026}}),
    ("GET /vector_stores/{id}/files/{file_id}", None),
    ("GET /vector_stores/{id}/files/{file_id}/content", None),
    ("GET /vector_stores/{id}/files", None),
    ("POST /vector_stores/{id}/file_batches", {"file_ids": ["$file"]}),
    ("GET /vector_stores/{id}/file_batches/{batch_id}", None),
    ("GET /vector_stores/{id}/file_batches/{batch_id}/files", None),
    ("POST /vector_stores/{id}/file_batches/{batch_id}/cancel", None),
    ("POST /vector_stores/{id}/search", {"query": "text"}),
    ("GET /vector_stores", None),
    ("DELETE /vector_stores/{id}/files/{file_id}", None),
    ("DELETE /vector_stores/{id}", None),
    ("POST /containers", {"name": "tour"}),
    ("GET /containers/{id}", None),
    ("POST /containers/{id}/files", {"file_id": "$file"}),
    ("GET /containers/{id}/files", None),
    ("GET /containers/{id}/files/{file_id}", None),
    ("GET /containers/{id}/files/{file_id}/content", None),
    ("DELETE /containers/{id}/files/{file_id}", None),
    ("GET /containers", None),
    ("DELETE /containers/{id}", None),
    ("DELETE /files/{id}", None),
    ("POST /files", form("file", "sim-pending-30s.jsonl", json.dumps(LINE), purpose="batch")),
    ("POST /batches", NEW_BATCH),
    ("GET /batches/{id}", None),
    ("GET /batches", None),
    ("POST /batches/{id}/cancel", None),
    ("POST /skills", skill("first")),
    ("POST /skills/{id}/versions", skill("second")),
    ("POST /skills/{id}", {"default_version": "2"}),
    ("GET /skills/{id}", None),
    ("GET /skills/{id}/content", None),
    ("GET /skills", None),
    ("GET /skills/{id}/versions", None),
    ("GET /skills/{id}/versions/{version_id}", None),
    ("GET /skills/{id}/versions/{version_id}/content", None),
    ("DELETE /skills/{id}/versions/{version_id}", None),
    ("DELETE /skills/{id}", None),
]


@pytest.fixture
def client(simulated, door):
    with simulated.client(door) as client:
        yield client


def send(client, call, body, ids):
    method, path = call.split()
    names = ID[path.split("/")[1]]
    path = re.sub(r"{(\w+)}", lambda match: ids[names[match[1]]], path)
    if body is None or "files" in body:
        return client.request(method, path, **(body or {}))
    return client.request(method, path, json=fill(body, ids))


def fill(body, ids):
    return json.loads(re.sub(r"\$([a-z_.]+)", lambda match: ids[match[1]], json.dumps(body)))


def check(call, answer):
    """Check an answer in JSON with the document; all others are the content of a file."""
    method, path = call.lower().split()
    content = DOCUMENT["paths"][path][method]["responses"]["200"]["content"]
    kind = answer.headers["content-type"].partition(";")[0]
    schema = content[kind]["schema"]
    if kind == "application/json":
        jsonschema.Draft202012Validator({**schema, **PARTS}).validate(answer.json())


def test_real_answers_are_what_the_document_says(client):
    ids = {"version": "1"}
    for call, body in TOUR:
        answer = send(client, call, body, ids)
        assert answer.status_code == 200, (call, answer.text)
        check(call, answer)
        if answer.headers["content-type"] == "application/json" and "id" in answer.json():
            ids[answer.json()["object"]] = answer.json()["id"]


def test_the_tour_has_every_endpoint_of_resources():
    rows = [row for table in (FILES, CONTAINERS) for rows in table.values() for row in rows]
    assert {call for call, _ in TOUR} == {row.call for row in rows}
