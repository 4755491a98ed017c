"""Rows that cannot be written come later, by the queue; if that fails too, nobody gets an id."""

import asyncio
import json

import pytest
import pytest_asyncio

from tests.support.events import make_events, make_response, new_id, parse_events
from tests.support.provider import (
    CLOSE,
    LAST_CHUNK,
    Gate,
    encode_chunk,
    encode_response,
    encode_stream,
    encode_stream_head,
)

pytestmark = pytest.mark.asyncio(loop_scope="session")

ASK = {"model": "gpt-5", "input": "x"}
LINK_WRITES = ("PutItem", "BatchWriteItem")  # the second one where a response has ended already
USAGE = {"input_tokens": 3, "output_tokens": 4, "total_tokens": 7}


def encode(id, status="completed"):
    return encode_response(json.dumps(make_response(id, status)).encode())


async def test_a_link_that_cannot_be_written_is_written_later(shimmed, provider):
    id = new_id()
    shimmed.shim.cut(*LINK_WRITES)
    provider.respond_with(encode(id))
    assert (await shimmed.create()).json()["id"] == id
    unowned = await shimmed.client.get(f"/responses/{id}")
    assert unowned.status_code == 404
    assert len(provider.received) == 1
    shimmed.shim.restore()
    row = await shimmed.wait_for_row(id, "completed")
    assert row["usage"] == USAGE
    provider.respond_with(encode(id))
    assert (await shimmed.client.get(f"/responses/{id}")).json()["id"] == id
    assert provider.settle_requests(id) == []


@pytest.mark.parametrize("stream", [False, True])
async def test_without_table_and_queue_nobody_gets_an_id(shimmed, provider, stream):
    id = new_id()
    shimmed.shim.cut(*LINK_WRITES, "SendMessage")
    provider.respond_with(encode_stream(*make_events(id)) if stream else encode(id))
    provider.respond_with(encode_response(b"{}"))
    got = await shimmed.create(stream=stream)
    assert (got.status_code, got.json()["error"]["code"]) == (503, "link_not_written")
    assert got.headers["x-should-retry"] == "false"
    assert "retry-after" not in got.headers
    assert id not in got.text + str(got.headers)
    assert [sent.line.split()[0] for sent in provider.received] == ["POST", "DELETE"]
    assert provider.received[1].line == f"DELETE /v1/responses/{id} HTTP/1.1"
    assert shimmed.row(id) is None


async def test_no_event_of_the_gateways_own_names_an_id_without_an_owner(shimmed, provider):
    id, gate = new_id(), Gate()
    ping = b'event: keepalive\ndata: {"type":"keepalive"}\n\n'
    shimmed.shim.cut(*LINK_WRITES, "SendMessage")
    rest = encode_chunk(b"".join(make_events(id)))
    provider.respond_with(encode_stream_head(), encode_chunk(ping), gate, rest, LAST_CHUNK)
    provider.respond_with(encode_response(b"{}"))
    async with shimmed.client.stream("POST", "/responses", json={**ASK, "stream": True}) as got:
        pieces = got.aiter_raw()
        assert await anext(pieces) == ping
        gate.open()
        tail = b"".join([piece async for piece in pieces])
    (error,) = parse_events(tail)
    assert error["error"]["code"] == "link_not_written"
    assert id.encode() not in tail


@pytest.mark.parametrize(
    ("options", "calls"),
    [
        ({"background": True}, ["POST {}/cancel", "DELETE {}"]),
        ({"store": False}, []),
    ],
)
async def test_what_nobody_can_name_is_discarded_at_its_provider(shimmed, provider, options, calls):
    id = new_id()
    shimmed.shim.cut(*LINK_WRITES, "SendMessage")
    provider.respond_with(encode(id, "queued"))
    for _ in calls:
        provider.respond_with(encode_response(b'{"error":{}}', 409))  # which changes nothing
    assert (await shimmed.create(**options)).status_code == 503
    sent = [one.line.removesuffix(" HTTP/1.1") for one in provider.received[1:]]
    assert sent == [call.format(f"/v1/responses/{id}") for call in calls]


async def test_the_outcome_of_a_stream_follows_its_late_link(shimmed, provider):
    id, gate = new_id(), Gate()
    events = make_events(id)
    shimmed.shim.cut(*LINK_WRITES)
    provider.respond_with(
        encode_stream_head(),
        encode_chunk(events[0]),
        gate,
        *map(encode_chunk, events[1:]),
        LAST_CHUNK,
    )
    ask = {**ASK, "stream": True, "store": False}  # so that it cannot be polled
    async with shimmed.client.stream("POST", "/responses", json=ask) as got:
        pieces = got.aiter_raw()
        assert await anext(pieces) == events[0]
        shimmed.shim.restore()
        gate.open()
        assert b"".join([piece async for piece in pieces]) == b"".join(events[1:])
    row = await shimmed.wait_for_row(id, "completed")
    assert row["usage"] == USAGE


async def test_a_cut_stream_is_polled_when_the_queue_answers_again(shimmed, provider):
    id = new_id()
    shimmed.shim.cut("SendMessage")
    provider.respond_with(encode_stream_head(), *map(encode_chunk, make_events(id)[:2]), CLOSE)
    provider.respond_to_settle(id, encode(id))
    got = await shimmed.create(stream=True)
    assert parse_events(got.content)[-1]["type"] == "response.failed"
    assert shimmed.row(id)["unfinished"] == "cut"
    shimmed.shim.restore()
    row = await shimmed.wait_for_row(id, "completed")
    assert row["usage"] == USAGE
    assert len(provider.settle_requests(id)) == 1


async def test_an_outcome_that_cannot_be_written_is_written_later(shimmed, provider):
    id = new_id()
    shimmed.shim.cut("UpdateItem")
    provider.respond_with(encode_stream(*make_events(id)))
    got = await shimmed.create(stream=True)
    assert got.content == b"".join(make_events(id))
    assert shimmed.row(id)["status"] == "in_progress"
    shimmed.shim.restore()
    row = await shimmed.wait_for_row(id, "completed")
    assert row["usage"] == USAGE
    assert provider.settle_requests(id) == []


async def test_an_outcome_that_nobody_takes_does_not_harm_the_answer(shimmed, provider):
    id = new_id()
    shimmed.shim.cut("UpdateItem", "SendMessage")
    provider.respond_with(encode_stream(*make_events(id)))
    assert (await shimmed.create(stream=True)).content == b"".join(make_events(id))


async def test_a_late_background_response_is_followed_from_when_it_is_owned(shimmed, provider):
    id = new_id()
    shimmed.shim.cut(*LINK_WRITES)
    provider.respond_with(encode(id, "queued"))
    provider.respond_to_settle(id, encode(id))
    assert (await shimmed.create(background=True)).json()["status"] == "queued"
    shimmed.shim.restore()
    row = await shimmed.wait_for_row(id, "completed")
    assert row["usage"] == USAGE
    assert len(provider.settle_requests(id)) == 1


@pytest_asyncio.fixture(loop_scope="session")
async def conversation(shimmed, provider):
    id = new_id("conv")
    provider.respond_with_json({"id": id})
    assert (await shimmed.client.post("/conversations")).status_code == 200
    return id


async def add_item(shimmed, provider, conversation):
    """The answer to one new item, and the item's id."""
    item = new_id("msg")
    page = {"object": "list", "data": [{"type": "message", "id": item}]}
    provider.respond_with_json(page)
    body = {"items": [{"role": "user", "content": "x"}]}
    return await shimmed.client.post(f"/conversations/{conversation}/items", json=body), item


async def test_added_items_that_cannot_be_recorded_are_owned_later(shimmed, provider, conversation):
    shimmed.shim.cut("BatchWriteItem")
    got, item = await add_item(shimmed, provider, conversation)
    assert (got.status_code, got.json()["data"][0]["id"]) == (200, item)
    shimmed.shim.restore()
    create = {**ASK, "input": [{"type": "item_reference", "id": item}]}
    provider.respond_with(encode(new_id()))
    while (await shimmed.client.post("/responses", json=create)).status_code == 404:  # noqa: ASYNC110
        await asyncio.sleep(0.1)  # nobody tells of a row


async def test_items_that_are_added_are_not_added_again(shimmed, provider, conversation):
    shimmed.shim.cut("BatchWriteItem", "SendMessage")
    got, item = await add_item(shimmed, provider, conversation)
    assert (got.status_code, got.json()["error"]["code"]) == (503, "link_not_written")
    assert got.headers["x-should-retry"] == "false"
    assert "retry-after" not in got.headers
    assert item not in got.text


async def test_a_deletion_that_cannot_be_recorded_is_done(shimmed, provider, conversation):
    shimmed.shim.cut("UpdateItem", "SendMessage")
    provider.respond_with(encode_response(b'{"deleted":true}'))
    got = await shimmed.client.delete(f"/conversations/{conversation}")
    assert got.status_code == 200
