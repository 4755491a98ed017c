"""Batches by the SDK: their files, usage and statuses, and what fails."""

import json
import time

import openai
import pytest
from openai.types import Batch

LINES = [("a", "gpt-4.1", "Hi"), ("b", "sim-429", "Hi"), ("c", "sim-failed", "Hi")]
STATUSES = ["validating", "in_progress", "finalizing", "completed"]
ENDED = {"failed", "completed", "expired", "cancelled"}


@pytest.fixture(params=["client", "azure"])
def sdk(request):
    return request.getfixturevalue(request.param)


def build_line(custom_id, model="gpt-4.1", text="Hi", **more):
    body = {"model": model, "input": text}
    return {"custom_id": custom_id, "method": "POST", "url": "/v1/responses", "body": body, **more}


def create(client, lines, name="lines.jsonl", **more):
    content = "\n".join(each if isinstance(each, str) else json.dumps(each) for each in lines)
    file = client.files.create(file=(name, content.encode()), purpose="batch")
    return client.batches.create(
        input_file_id=file.id, endpoint="/v1/responses", completion_window="24h", **more
    )


def wait(client, batch):
    """Returns the batch at its end, and its statuses up to then; each request is a small pause."""
    statuses, deadline = [batch.status], time.monotonic() + 20
    while batch.status not in ENDED and time.monotonic() < deadline:
        batch = client.batches.retrieve(batch.id)
        statuses += [batch.status] if batch.status != statuses[-1] else []
    return batch, statuses


def read_lines(client, id):
    return [json.loads(line) for line in client.files.content(id).text.splitlines()]


def test_a_tour_of_a_batch(sdk):
    expiry = {"anchor": "created_at", "seconds": 1_209_600}
    lines = [build_line(*line) for line in LINES]
    created = create(sdk, lines, metadata={"a": "b"}, output_expires_after=expiry)
    batch, statuses = wait(sdk, created)
    # A busy machine may not see each status; the batch itself has the time of each.
    assert statuses == [status for status in STATUSES if status in statuses]
    assert batch.created_at <= batch.in_progress_at <= batch.finalizing_at <= batch.completed_at
    assert (batch.status, batch.metadata, batch.model) == ("completed", {"a": "b"}, "gpt-4.1")
    assert (batch.request_counts.completed, batch.request_counts.failed) == (2, 1)
    good, failed = read_lines(sdk, batch.output_file_id)
    assert (good["custom_id"], good["response"]["status_code"]) == ("a", 200)
    assert good["response"]["body"]["status"] == "completed"
    assert failed["response"]["body"]["status"] == "failed"
    assert batch.usage.total_tokens == good["response"]["body"]["usage"]["total_tokens"] > 0
    [error] = read_lines(sdk, batch.error_file_id)
    assert (error["custom_id"], error["response"]["status_code"]) == ("b", 429)
    assert "error" in error["response"]["body"]
    assert sdk.responses.retrieve(good["response"]["body"]["id"]).status == "completed"
    output = sdk.files.retrieve(batch.output_file_id)
    assert (output.purpose, output.filename) == ("batch_output", f"{batch.id}_output.jsonl")
    assert output.expires_at == output.created_at + 1_209_600
    assert batch.output_file_id in {each.id for each in sdk.files.list(purpose="batch_output")}


def test_an_ended_batch_belongs_to_its_project(sdk, other):
    batch, _ = wait(sdk, create(sdk, [build_line("a")]))
    assert batch.error_file_id is None
    assert batch.id in {each.id for each in sdk.batches.list(limit=1)}
    assert batch.id not in {each.id for each in other.batches.list()}
    with pytest.raises(openai.NotFoundError):
        other.batches.cancel(batch.id)
    with pytest.raises(openai.ConflictError, match="status 'completed'"):
        sdk.batches.cancel(batch.id)


def test_a_batch_is_cancelled(client):
    batch = create(client, [build_line("a"), build_line("b", "sim-delay-60s")])
    cancelling = client.batches.cancel(batch.id)
    assert cancelling.status == "cancelling"
    batch, _ = wait(client, cancelling)
    assert (batch.status, batch.output_file_id) == ("cancelled", None)
    assert batch.cancelled_at is not None


def test_a_batch_expires_after_half_of_its_lines(client):
    batch, _ = wait(client, create(client, [build_line("a"), build_line("b")], "sim-half.jsonl"))
    assert batch.status == "expired"
    assert [line["custom_id"] for line in read_lines(client, batch.output_file_id)] == ["a"]
    [left] = read_lines(client, batch.error_file_id)
    assert (left["custom_id"], left["error"]["code"]) == ("b", "batch_expired")


@pytest.mark.parametrize(
    ("lines", "name", "codes"),
    [
        ([""], "a.jsonl", ["empty_file"]),
        ([build_line("a"), "{"], "a.jsonl", ["invalid_json_line"]),
        ([build_line("a")] * 2, "a.jsonl", ["duplicate_custom_id"]),
        ([build_line("a", url="/v1/embeddings")], "a.jsonl", ["url_mismatch"]),
        ([{"custom_id": "a"}], "a.jsonl", ["missing_required_parameter"] * 3),
        ([build_line("a")], "sim-failed.jsonl", ["invalid_file"]),
    ],
)
def test_an_invalid_file_fails_the_batch(client, lines, name, codes):
    batch, statuses = wait(client, create(client, lines, name))
    assert statuses == ["validating", "failed"]
    assert [error.code for error in batch.errors.data] == codes


@pytest.mark.parametrize(
    ("body", "error", "message"),
    [
        ({}, openai.BadRequestError, "'input_file_id'"),
        ({"input_file_id": "file-none"}, openai.NotFoundError, "No such File object"),
        ({"endpoint": "/v1/embeddings"}, openai.BadRequestError, "Supported values are"),
        ({"completion_window": "1h"}, openai.BadRequestError, "'24h'"),
        ({"metadata": {"a": 1}}, openai.BadRequestError, "metadata.a"),
    ],
)
def test_what_is_refused(client, body, error, message):
    file = client.files.create(file=("a.jsonl", b"{}"), purpose="batch").id
    complete = {"input_file_id": file, "endpoint": "/v1/responses", "completion_window": "24h"}
    with pytest.raises(error, match=message):
        client.post("/batches", cast_to=Batch, body={**complete, **body} if body else body)
