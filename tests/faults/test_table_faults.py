"""Each operation of the table fails in each way: no fault lets anyone in, and none loses a response."""

import json

import pytest

from tests.faults.aws_proxy import FAULTS, HANGING
from tests.support.events import make_events, make_response, new_id
from tests.support.provider import encode_response, encode_stream
from tests.support.requests import CREATE

pytestmark = pytest.mark.asyncio(loop_scope="session")

WRITES = ("PutItem", "BatchWriteItem", "UpdateItem", "TransactWriteItems")
USAGE = {"input_tokens": 3, "output_tokens": 4, "total_tokens": 7}
QUICK = [fault for fault in FAULTS if fault not in HANGING]  # a hanging table takes all its time
# A read that was executed and whose answer was lost is a read that failed.
READS = {
    "a list": ("Query", "GET", "/responses", None),
    "a link": ("GetItem", "GET", "/responses/{id}", None),
    "a parent": ("GetItem", "POST", "/responses", {**CREATE, "previous_response_id": "{id}"}),
    "an item": (
        "BatchGetItem",
        "POST",
        "/responses",
        {**CREATE, "input": [{"type": "item_reference", "id": "msg_{id}"}]},
    ),
}


def encode(id):
    return encode_response(json.dumps(make_response(id)).encode())


async def owned(shimmed, provider):
    """The id of a new response, recorded while the table is well."""
    id = new_id()
    provider.respond_with(encode(id))
    assert (await shimmed.create()).status_code == 200
    provider.received.clear()
    return id


def check_unavailable(got):
    """Ours, with nothing of AWS in it, and worth a retry."""
    assert (got.status_code, got.json()["error"]["type"]) == (503, "server_error")
    assert got.headers["retry-after"] == "1"
    assert not {"dynamodb", "amazonaws", "antiphon-local"} & set(got.text.lower().split('"'))


@pytest.mark.parametrize("fault", QUICK)
async def test_without_the_keys_nobody_comes_in_or_is_called_an_impostor(shimmed, provider, fault):
    shimmed.shim.faults = {"GetItem": fault}
    headers = {"authorization": f"Bearer sk-{new_id()}"}  # in no cache
    check_unavailable(await shimmed.client.post("/responses", json=CREATE, headers=headers))
    assert provider.received == []
    shimmed.shim.restore()
    got = await shimmed.client.post("/responses", json=CREATE, headers=headers)
    assert got.status_code == 401


@pytest.mark.parametrize(
    ("read", "fault"),
    [*((read, fault) for read in READS for fault in QUICK), ("a parent", "hanging")],
)
async def test_what_cannot_be_read_is_not_passed_on(shimmed, provider, read, fault):
    operation, method, path, body = READS[read]
    id = await owned(shimmed, provider)
    text = None if body is None else json.dumps(body).replace("{id}", id)
    shimmed.shim.faults = {operation: fault}
    got = await shimmed.client.request(method, path.replace("{id}", id), content=text)
    check_unavailable(got)
    assert provider.received == []


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("fault", QUICK)
async def test_what_cannot_be_written_is_not_lost(shimmed, provider, fault, stream):
    """Neither for the caller, who has the whole answer, nor for the reports."""
    id = new_id()
    shimmed.shim.faults = dict.fromkeys(WRITES, fault)
    provider.respond_with(encode_stream(*make_events(id)) if stream else encode(id))
    got = await shimmed.create(stream=stream)
    body = b"".join(make_events(id)) if stream else json.dumps(make_response(id)).encode()
    assert (got.status_code, got.content) == (200, body)
    assert len(provider.received) == 1
    shimmed.shim.restore()
    row = await shimmed.wait_for_row(id, "completed")
    assert row["usage"] == USAGE


async def test_a_create_without_a_stream_makes_one_write(shimmed, provider):
    """The link with its outcome and the owners of its items; the key is cached."""
    await owned(shimmed, provider)
    id = await owned(shimmed, provider)
    named = [call for call, body in shimmed.shim.bodies if id.encode() in body]
    links = [call for call in named if call in {"PutItem", "BatchWriteItem"}]
    assert links == ["BatchWriteItem"]  # other functions transact
    row = await shimmed.wait_for_row(id, "completed")
    assert row["usage"] == USAGE
