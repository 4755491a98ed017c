"""Batches: every line of a file is checked as a create of its own before the batch is made."""

import json
import secrets

import pytest

from antiphon.store.keys import key_row
from tests.support.events import new_id
from tests.support.provider import CLOSE, encode_response

USAGE = {"input_tokens": 30, "output_tokens": 12, "total_tokens": 42}
GOOD = {"model": "gpt-5", "input": "Hello"}


@pytest.fixture
def gateway(hasty):
    """The gateway whose configuration has batches."""
    return hasty


def line(body, **more):
    return json.dumps(
        {"custom_id": "1", "method": "POST", "url": "/v1/responses", "body": body, **more}
    )


class Batcher:
    """One tenant's client, and the files of its batches at a provider."""

    def __init__(self, client, provider):
        self.client, self.provider = client, provider

    def upload(self, target="openai"):
        id = f"file-{new_id()}"
        self.answer({"id": id, "object": "file", "purpose": "batch"})
        headers = {"content-type": "application/json", "x-antiphon-target": target}
        assert self.client.post("/files", content=b"{}", headers=headers).status_code == 200
        self.provider.received.clear()
        return id

    def answer(self, value, kind="application/json"):
        body = value if isinstance(value, bytes) else json.dumps(value).encode()
        self.provider.respond_with(encode_response(body, kind=kind))

    def create(self, file, *lines, content=None):
        self.answer(content or "\n".join(lines).encode(), "application/octet-stream")
        ask = {"input_file_id": file, "endpoint": "/v1/responses", "completion_window": "24h"}
        return self.client.post("/batches", json=ask)

    @property
    def calls(self):
        return [got.line.rsplit(" ", 1)[0] for got in self.provider.received]


@pytest.fixture
def batcher(client, provider):
    return Batcher(client, provider)


def test_a_batch_is_made_and_its_results_belong_to_its_tenant(gateway, batcher, client):
    file, id, result = batcher.upload(), f"batch_{new_id()}", f"file-{new_id()}"
    made = {"id": id, "object": "batch", "status": "validating"}
    batcher.answer(b"\n".join([line(GOOD).encode()] * 3) + b"\n", "text/plain")
    batcher.answer(made)
    ask = b' {"input_file_id" : "%s","endpoint":"/v1/responses" }' % file.encode()
    response = client.post("/batches", content=ask, headers={"content-type": "application/json"})
    assert response.json() == made
    assert batcher.calls == [f"GET /v1/files/{file}/content", "POST /v1/batches"]
    assert batcher.provider.received[-1].body == ask
    ended = {
        **made,
        "status": "completed",
        "output_file_id": result,
        "model": "gpt-5",
        "usage": USAGE,
    }
    for _ in range(2):
        batcher.answer(ended)
        assert client.get(f"/batches/{id}").json() == ended
    batcher.answer(b"results", "application/octet-stream")
    assert client.get(f"/files/{result}/content").content == b"results"
    with gateway.client("url", "auditor") as stranger:
        for path in (f"/batches/{id}", f"/files/{result}", f"/files/{result}/content"):
            assert stranger.get(path).status_code == 404
    counted = gateway.wait_for_row(f"T#acme#Z#{id}", lambda row: row["status"] == "completed")
    assert counted["usage"] == USAGE
    assert counted["service_tier"] == "batch"


@pytest.mark.parametrize(
    ("body", "status", "param"),
    [
        ({**GOOD, "previous_response_id": "resp_foreign"}, 404, "previous_response_id"),
        ({**GOOD, "conversation": {"id": "conv_foreign"}}, 404, "conversation"),
        ({**GOOD, "tools": [{"type": "file_search", "vector_store_ids": ["vs_foreign"]}]}, 404,
         "tools[0].vector_store_ids[0]"),
        ({**GOOD, "input": [{"type": "item_reference", "id": "msg_foreign"}]}, 404, "input[0].id"),
        ({**GOOD, "prompt": {"id": "pmpt_foreign"}}, 404, "prompt.id"),
    ],
)  # fmt: skip
def test_an_id_in_any_line_must_be_the_tenants_own(batcher, body, status, param):
    file = batcher.upload()
    response = batcher.create(file, line(GOOD), line(body))
    assert response.status_code == status
    assert response.json()["error"]["param"] == f"input_file_id: line 2: {param}"
    assert batcher.calls == [f"GET /v1/files/{file}/content"]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (line(GOOD, url="/v1/files"), "it must be a POST to /v1/responses"),
        (line(GOOD, method="GET"), "it must be a POST to /v1/responses"),
        (line([]), "'body' must be an object"),
        (line({"input": "x", "prompt": None}), "Missing required parameter: 'model'"),
        (line({**GOOD, "model": "unknown"}), "The model 'unknown' does not exist"),
        (line(GOOD)[:-1], "could not be read"),
        ('{"body":{},"body":{"model":"gpt-5"}}', "duplicate key"),
        (line({**GOOD, "File_Id": "file-x"}), "lower case"),
        (line(GOOD).replace("custom_id", "Body"), "write 'body' in lower case"),
        *(
            (line(GOOD).replace("custom_id", f"{end}custom_id"), "may end a line")
            for end in "\r\x85\u2028\u2029"
        ),
    ],
)
def test_a_line_that_cannot_be_read_as_one_create_is_refused(batcher, text, reason):
    file = batcher.upload()
    response = batcher.create(file, line(GOOD), text)
    error = response.json()["error"]
    assert (response.status_code, error["code"]) == (400, "invalid_batch_line")
    assert error["message"].startswith("Invalid 'input_file_id': line 2: ")
    assert reason in error["message"]
    assert batcher.calls == [f"GET /v1/files/{file}/content"]


def test_a_line_that_a_policy_does_not_allow_is_refused(gateway, provider):
    with gateway.client("url", "ruled") as client:
        batcher = Batcher(client, provider)
        file = batcher.upload()
        tool = {"type": "mcp", "server_label": "x", "server_url": "https://x.example"}
        good = {**GOOD, "store": False}  # as the policy wants it
        refused = batcher.create(file, line(good), line({**good, "tools": [tool]}))
        error = refused.json()["error"]
        assert (refused.status_code, error["code"]) == (403, "policy_violation")
        assert error["param"] == "input_file_id: line 2: tools[0].type"
        assert batcher.calls == [f"GET /v1/files/{file}/content"]


def test_a_model_in_a_file_must_have_the_name_that_the_target_knows(batcher):
    file = batcher.upload("azure")
    refused = batcher.create(file, line({**GOOD, "model": "public"}))
    assert "name the deployment: 'deployed'" in refused.json()["error"]["message"]
    batcher.answer(line({**GOOD, "model": "deployed"}).encode(), "text/plain")
    batcher.answer({"id": f"batch_{new_id()}", "object": "batch", "status": "validating"})
    ask = {"input_file_id": file, "endpoint": "/v1/responses"}
    assert batcher.client.post("/batches", json=ask).status_code == 200


def test_a_foreign_file_a_foreign_endpoint_and_a_budget_are_refused(gateway, batcher, client):
    file = batcher.upload()
    ask = {"input_file_id": file, "endpoint": "/v1/responses"}
    key = f"sk-{secrets.token_hex(16)}"
    gateway.put(key_row(key, "acme", limits={"budget_usd": 5}))
    with gateway.client() as poor, gateway.client("url", "auditor") as stranger:
        poor.headers["authorization"] = f"Bearer {key}"
        assert poor.post("/batches", json=ask).json()["error"]["code"] == "batches_not_under_budget"
        refused = stranger.post("/batches", json=ask)
    assert (refused.status_code, refused.json()["error"]["param"]) == (404, "input_file_id")
    other = client.post("/batches", json={**ask, "brand_new": {"container": "cntr_foreign"}})
    assert (other.status_code, other.json()["error"]["param"]) == (404, "brand_new.container")
    assert client.post("/batches", json={**ask, "endpoint": "/v1/embeddings"}).status_code == 400
    assert batcher.calls == []


@pytest.mark.parametrize("status", [400, 500, 502])
def test_a_file_that_the_provider_does_not_return_makes_no_batch_and_frees_the_key(batcher, status):
    file = batcher.upload()
    ask = {"input_file_id": file, "endpoint": "/v1/responses"}
    headers = {"idempotency-key": new_id()}
    refused = encode_response(b'{"error":{"message":"no"}}', status=status)
    # An idle connection that ends before a byte would be one more attempt.
    batcher.provider.respond_with(*((b"HTTP/1.1 2", CLOSE) if status == 502 else (refused,)))
    response = batcher.client.post("/batches", json=ask, headers=headers)
    assert (response.status_code, len(batcher.calls)) == (status, 1)
    batcher.answer(line(GOOD).encode(), "text/plain")
    made = {"id": f"batch_{new_id()}", "object": "batch", "status": "validating"}
    batcher.answer(made)
    assert batcher.client.post("/batches", json=ask, headers=headers).json() == made
