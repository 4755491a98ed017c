"""Files, stores, containers and skills: each call goes to the target that holds the resource."""

import re

import pytest

from antiphon.api.resources import ENDPOINTS
from antiphon.store.links import NEVER, collection_path
from tests.support.events import make_response, new_id
from tests.support.provider import encode_response

AT_AZURE = {"x-antiphon-target": "azure"}
AT_OPENAI = {"x-antiphon-target": "openai"}
JSON = {"content-type": "application/json"}
PREFIXES = {"file": "file-", "vector_store": "vs_", "container": "cntr_", "skill": "skill_"}
CALLS = [
    (kind, method, below) for kind, endpoints in ENDPOINTS.items() for method, below, _ in endpoints
]
BODY = b' {"name" : "x",\t"brand_new": 1.0e5 } '
FORMS = {
    "one byte": ("b", b"x"),
    "CRLF and near-boundaries inside": ("AaB03x", b"\r\n--AaB03\r\n--AaB04x\r\n\r\n-"),
    "an odd boundary": ("'()+_,-./:=? z", b"\x00\xff"),
    "4.4 MB": ("----WebKitFormBoundary7MA4YWxkTrZu0gW", bytes(range(256)) * 17_180),
}


def form(boundary, content, name="Übersicht „1“.pdf"):
    """What a client sends: content type and body."""
    mark = f"--{boundary}\r\nContent-Disposition: form-data; name=".encode()
    body = (
        mark
        + b'"purpose"\r\n\r\nassistants\r\n'
        + mark
        + f'"file"; filename="{name}"\r\nContent-Type: application/pdf\r\n\r\n'.encode()
        + content
        + f"\r\n--{boundary}--\r\n".encode()
    )
    return {"content-type": f'multipart/form-data; boundary="{boundary}"'}, body


def resource(kind="file", **more):
    id = PREFIXES.get(kind, f"{kind}_") + new_id()
    return {"id": id, "object": kind, **more}


def make(client, provider, kind="file", headers=AT_OPENAI, **more):
    """The id of a new resource, at a target."""
    made = resource(kind, **more)
    provider.respond_with_json(made)
    response = client.post(collection_path(kind), content=b"{}", headers={**JSON, **headers})
    assert response.status_code == 200, response.text
    provider.received.clear()
    return made["id"]


@pytest.mark.parametrize("case", FORMS)
def test_a_form_passes_byte_for_byte(client, provider, case):
    headers, body = form(*FORMS[case])
    answer = b' {"id":"file-%s","object":"file", "bytes":1.0 }\n' % new_id().encode()
    provider.respond_with(encode_response(answer))
    response = client.post("/files", content=body, headers={**headers, **AT_AZURE})
    assert (response.status_code, response.content) == (200, answer)
    assert response.headers["x-antiphon-target"] == "azure"
    (got,) = provider.received
    assert got.body == body
    assert got.headers["content-type"] == headers["content-type"]
    assert got.line == "POST /openai/v1/files HTTP/1.1"
    assert "x-antiphon-target" not in got.headers


@pytest.mark.parametrize(("kind", "method", "below"), CALLS, ids=lambda part: str(part) or "itself")
def test_a_call_goes_where_the_resource_is_and_only_for_its_tenant(
    gateway, client, provider, kind, method, below
):
    id = make(client, provider, kind)
    path = f"{collection_path(kind)}/{id}{below}".replace("<file_id>", "file-1")
    path = path.replace("<batch_id>", "vsfb_1").replace("<version_id>", "2")
    body = BODY if method == "POST" else b""
    with gateway.client("url", "umbra") as stranger:
        refused = stranger.request(method, path, content=body, headers=JSON)
    assert (refused.status_code, provider.received) == (404, [])
    provider.respond_with(encode_response(b'{"id": "x", "object": "y"}'))
    response = client.request(method, f"{path}?limit=7", content=body, headers=JSON)
    assert response.content == b'{"id": "x", "object": "y"}'
    assert [(got.line, got.body) for got in provider.received] == [
        (f"{method} /v1{path}?limit=7 HTTP/1.1", body)
    ]


def test_unknown_malformed_and_foreign_ids_get_one_answer(gateway, client, provider):
    id = make(client, provider)
    with gateway.client("url", "umbra") as stranger:
        answers = {
            re.sub("'.*?'", "ID", stranger.get(f"/files/{each}").text)
            for each in (id, "file-unknown", "..%2Fx", "file%20x", "é" * 9, id.upper())
        }
    assert len(answers) == 1
    assert "`antiphon adopt`" in answers.pop()
    assert provider.received == []


PARENTS = [
    ("vector_store", "files/{}"),
    ("vector_store", "files/{}/content"),
    ("vector_store", "file_batches/{}"),
    ("container", "files/{}/content"),
    ("skill", "versions/{}"),
]
ELSEWHERE = [
    *("..%2F..%2Ffiles%2Ffile-1", "%2e%2e%2f%2e%2e%2Ffiles", "..%5Cx", "x%3Fy", "x%23y", "x%3By"),
    *("%252e%252e%252Fx", "x%00y", "%E2%80%A5%2Fx"),
]


@pytest.mark.parametrize(("kind", "below"), PARENTS)
def test_no_id_below_an_own_object_leads_elsewhere(client, provider, kind, below):
    path = f"{collection_path(kind)}/{make(client, provider, kind)}"
    for id in ELSEWHERE:
        response = client.get(f"{path}/{below.format(id)}")
        assert (response.status_code, provider.received) == (404, []), id


def test_a_deleted_file_is_gone_also_where_the_provider_had_lost_it(client, provider):
    for status in (200, 404):
        id = make(client, provider)
        provider.respond_with(encode_response(b'{"deleted":true}', status=status))
        assert client.delete(f"/files/{id}").status_code == status
        provider.received.clear()
        assert client.get(f"/files/{id}").status_code == 404
        assert provider.received == []


def test_a_response_goes_to_the_target_of_its_file_and_nowhere_else(client, provider):
    id = make(client, provider, headers=AT_AZURE)
    item = {"role": "user", "content": [{"type": "input_file", "file_id": id}]}
    provider.respond_with_json(make_response(new_id()))
    response = client.post("/responses", json={"model": "public", "input": [item]})
    assert response.headers["x-antiphon-target"] == "azure"
    provider.respond_with(encode_response(b"{}", status=503))
    assert client.post("/responses", json={"model": "public", "input": [item]}).status_code == 503
    assert len(provider.received) == 2


def test_ids_of_two_targets_are_refused_with_both_names(client, provider):
    ids = [make(client, provider, headers=headers) for headers in (AT_AZURE, AT_OPENAI)]
    response = client.post("/vector_stores", json={"file_ids": ids})
    assert (response.status_code, response.json()["error"]["code"]) == (400, "targets_differ")
    assert "'azure', 'openai'" in response.json()["error"]["message"]
    assert provider.received == []


@pytest.mark.parametrize(
    ("kind", "more", "expected"),
    [
        ("file", {}, NEVER),
        ("file", {"expires_at": 4_000_000_000}, 4_000_000_000),
        ("file", {"expires_at": "soon"}, NEVER),
        ("vector_store", {"expires_at": 4_000_000_000}, NEVER),
        ("skill", {}, NEVER),
    ],
)
def test_rows_live_as_long_as_the_object(gateway, client, provider, kind, more, expected):
    id = make(client, provider, kind, **more)
    assert gateway.row(f"T#acme#{kind}#{id}")["expires_at"] == expected


@pytest.mark.parametrize("answer", [b'{"object":"file"}', b"not JSON", b'{"id":" "}'])
def test_an_answer_without_an_id_does_not_pass(client, provider, answer):
    provider.respond_with(encode_response(answer))
    response = client.post("/files", content=b"{}", headers={**JSON, **AT_OPENAI})
    assert response.status_code == 502
    assert response.headers["x-should-retry"] == "false"


def test_what_was_made_with_a_key_is_not_made_again(client, provider):
    headers = {**JSON, **AT_OPENAI, "idempotency-key": new_id()}
    made = resource("vector_store", status="completed")
    provider.respond_with_json(made)
    assert client.post("/vector_stores", content=b"{}", headers=headers).json() == made
    provider.respond_with_json({**made, "status": "later"})
    replayed = client.post("/vector_stores", content=b"{}", headers=headers)
    assert replayed.headers["x-antiphon-replayed"] == "true"
    assert replayed.json() == {**made, "status": "later"}
    assert [got.line.partition("/")[0] for got in provider.received] == ["POST ", "GET "]
    for path, body in (("/vector_stores", b'{"name":"x"}'), ("/containers", b"{}")):
        assert client.post(path, content=body, headers=headers).status_code == 422


def test_a_file_without_a_size_is_listed_as_its_provider_has_it_now(client, provider):
    """Azure does not know the size of a file of a batch at once."""
    id = make(client, provider, bytes=None, created_at=1, filename="x", purpose="batch", status="?")
    stored = b' {"id":"%b", "object":"file","bytes":1.0e1 }' % id.encode()
    provider.respond_with(encode_response(stored))
    assert client.get("/files?limit=1").content.startswith(b'{"object":"list","data":[%b]' % stored)
    id = make(client, provider, bytes=1, created_at=1, filename="x", purpose="batch", status="?")
    assert client.get("/files?limit=1").json()["first_id"] == id
    assert provider.received == []


def test_without_its_section_no_batch_is_made(client, provider):
    response = client.post("/batches", json={"input_file_id": make(client, provider)})
    assert response.status_code == 404
    assert "`[batches]`" in response.json()["error"]["message"]
    assert provider.received == []


def test_the_end_of_a_vector_store_is_recorded_where_a_caller_sees_it(gateway, client, provider):
    id = make(client, provider, "vector_store", status="in_progress")

    def retrieve(below="", **members):
        provider.respond_with_json(members)
        assert client.get(f"/vector_stores/{id}{below}").status_code == 200
        return gateway.row(f"T#acme#vector_store#{id}")["status"]

    assert retrieve(id=id, status="in_progress") == "in_progress"
    assert retrieve("/files/file-1", id="file-1", status="completed") == "in_progress"
    assert retrieve(id=id, status="completed") == "completed"
    assert retrieve(id=id, status="in_progress") == "completed"  # more files were added
