"""A container that a provider names in its answer, while the gateway cannot record its owner."""

import asyncio
import json

import pytest

from tests.support.events import make_event, make_events, make_response, new_id, parse_events
from tests.support.provider import (
    LAST_CHUNK,
    Gate,
    encode_chunk,
    encode_response,
    encode_stream_head,
)
from tests.support.requests import CREATE

pytestmark = pytest.mark.asyncio(loop_scope="session")


def make_call():
    """An item of a response's output, and the id of its container."""
    container = new_id("cntr")
    return {"type": "code_interpreter_call", "id": new_id("ci"), "container_id": container}, container  # fmt: skip


def encode(id, item):
    return encode_response(json.dumps(make_response(id, output=[item])).encode())


async def stream(shimmed, provider, id, item, *operations):
    """The answer to a create whose container is named when these operations no longer work."""
    created, _, completed = make_events(id, output=[item])
    added, gate = make_event("response.output_item.added", 1, item=item), Gate()
    first, rest = encode_chunk(created), encode_chunk(added + completed)
    provider.respond_with(encode_stream_head(), first, gate, rest, LAST_CHUNK)
    create = {**CREATE, "stream": True}
    async with shimmed.client.stream("POST", "/responses", json=create) as got:
        pieces = got.aiter_raw()
        assert await anext(pieces) == created
        shimmed.shim.cut(*operations)
        gate.open()
        return b"".join([piece async for piece in pieces]), added + completed


async def container_row(shimmed, container):
    while (row := shimmed.row(container, "container")) is None:  # noqa: ASYNC110
        await asyncio.sleep(0.1)  # nobody tells of a row
    return row


async def test_without_the_table_it_passes_and_is_owned_later(shimmed, provider):
    id, (item, container) = new_id(), make_call()
    passed, sent = await stream(shimmed, provider, id, item, "PutItem")
    assert passed == sent
    assert shimmed.row(container, "container") is None
    shimmed.shim.restore()
    assert (await container_row(shimmed, container))["target"] == "openai"


async def test_without_table_and_queue_it_is_in_no_event(shimmed, provider):
    """The response itself has an owner, so it can be retrieved."""
    id, (item, container) = new_id(), make_call()
    passed, _ = await stream(shimmed, provider, id, item, "PutItem", "SendMessage")
    error, failed = parse_events(passed)
    assert error["error"]["code"] == "link_not_written"
    assert (failed["type"], failed["response"]["id"]) == ("response.failed", id)
    assert container not in passed.decode()
    shimmed.shim.restore()
    provider.respond_with(encode(id, item))
    assert (await shimmed.client.get(f"/responses/{id}")).json()["output"] == [item]
    assert shimmed.row(container, "container")["target"] == "openai"


async def test_what_cannot_be_recorded_may_be_retrieved_again(shimmed, provider):
    id, (item, container) = new_id(), make_call()
    provider.respond_with(encode(id, {"type": "message"}))
    assert (await shimmed.create()).status_code == 200
    shimmed.shim.cut("PutItem", "SendMessage")
    provider.respond_with(encode(id, item))
    got = await shimmed.client.get(f"/responses/{id}")
    assert (got.status_code, got.headers["retry-after"]) == (503, "1")
    assert container not in got.text
    shimmed.shim.restore()
    provider.respond_with(encode(id, item))
    assert (await shimmed.client.get(f"/responses/{id}")).json()["output"] == [item]
    assert shimmed.row(container, "container")["target"] == "openai"
