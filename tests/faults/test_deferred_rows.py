"""Rows that cannot be written come later, by the queue; if that fails too, nobody gets an id."""

import asyncio
import json
import os
from dataclasses import dataclass

import boto3
import httpx
import pytest
import pytest_asyncio

from infra.local.aws.resources import TABLE
from infra.local.gateway import run_gateway
from infra.local.options import GatewayOptions, LocalKey
from infra.local.processes import Processes
from infra.local.target_setup import build_target_setup
from tests.faults.shim import Shim
from tests.support.aws import LOCAL_AWS
from tests.support.events import make_events, make_response, new_id, parse_events
from tests.support.provider import (
    LAST_CHUNK,
    Gate,
    encode_chunk,
    encode_response,
    encode_stream,
    encode_stream_head,
)

pytestmark = pytest.mark.asyncio(loop_scope="module")

ASK = {"model": "gpt-5", "input": "x"}
USAGE = {"input_tokens": 3, "output_tokens": 4, "total_tokens": 7}


@dataclass(frozen=True)
class Shimmed(GatewayOptions):
    """A gateway whose functions reach their AWS over the shim."""

    shim: Shim | None = None

    def function(self, name, endpoint, configuration):
        return super().function(name, self.shim.before(endpoint), configuration)


@dataclass
class Gateway:
    client: httpx.AsyncClient
    shim: Shim
    aws: str

    async def create(self, **more):
        return await self.client.post("/responses", json={**ASK, **more})

    def row(self, id):
        """Read past the shim."""
        table = boto3.resource("dynamodb", endpoint_url=self.aws, **LOCAL_AWS).Table(TABLE)
        return table.get_item(Key={"pk": f"T#acme#R#{id}", "sk": "LINK"}).get("Item")

    async def wait_for_row(self, id, status):
        while (row := self.row(id)) is None or row["status"] != status:  # noqa: ASYNC110
            await asyncio.sleep(0.1)  # nobody tells of a row
        return row


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def _gateway(_provider):
    target = {"provider": "openai", "base_url": f"{_provider.address}/v1", "models": ["*"]}
    document = {"targets": {"openai": target}}
    shim = Shim()
    await shim.open()
    options = Shimmed(
        keys=[LocalKey("acme", "key-of-acme")],
        setup=build_target_setup(document, {"OPENAI_API_KEY": "credential"}),
        simulated_models=[],
        env=os.environ,
        port=0,
        rest_port=0,
        concurrency=1,
        shim=shim,
    )
    headers = {"authorization": "Bearer key-of-acme"}
    async with (
        run_gateway(options, Processes(), lambda: None) as serves,
        httpx.AsyncClient(base_url=serves.url, headers=headers, trust_env=False) as client,
    ):
        yield Gateway(client, shim, serves.aws)
    await shim.close()


@pytest.fixture
def gateway(_gateway):
    yield _gateway
    _gateway.shim.cut.clear()


def told(id, status="completed"):
    return encode_response(json.dumps(make_response(id, status)).encode())


async def test_a_link_that_cannot_be_written_is_written_later(gateway, provider):
    id = new_id()
    gateway.shim.cut |= {"PutItem"}
    provider.respond_with(told(id))
    assert (await gateway.create()).json()["id"] == id
    unowned = await gateway.client.get(f"/responses/{id}")
    assert unowned.status_code == 404
    assert len(provider.received) == 1
    gateway.shim.cut.clear()
    row = await gateway.wait_for_row(id, "completed")
    assert row["usage"] == USAGE
    provider.respond_with(told(id))
    assert (await gateway.client.get(f"/responses/{id}")).json()["id"] == id
    assert provider.settle_requests(id) == []


@pytest.mark.parametrize("stream", [False, True])
async def test_without_table_and_queue_nobody_gets_an_id(gateway, provider, stream):
    id = new_id()
    gateway.shim.cut |= {"PutItem", "SendMessage"}
    provider.respond_with(encode_stream(*make_events(id)) if stream else told(id))
    provider.respond_with(encode_response(b"{}"))
    got = await gateway.create(stream=stream)
    assert (got.status_code, got.json()["error"]["code"]) == (503, "link_not_written")
    assert got.headers["x-should-retry"] == "false"
    assert "retry-after" not in got.headers
    assert id not in got.text + str(got.headers)
    assert [sent.line.split()[0] for sent in provider.received] == ["POST", "DELETE"]
    assert provider.received[1].line == f"DELETE /v1/responses/{id} HTTP/1.1"
    assert gateway.row(id) is None


async def test_no_event_of_the_gateways_own_names_an_id_without_an_owner(gateway, provider):
    id, gate = new_id(), Gate()
    ping = b'event: keepalive\ndata: {"type":"keepalive"}\n\n'
    gateway.shim.cut |= {"PutItem", "SendMessage"}
    rest = encode_chunk(b"".join(make_events(id)))
    provider.respond_with(encode_stream_head(), encode_chunk(ping), gate, rest, LAST_CHUNK)
    provider.respond_with(encode_response(b"{}"))
    async with gateway.client.stream("POST", "/responses", json={**ASK, "stream": True}) as got:
        pieces = got.aiter_raw()
        assert await anext(pieces) == ping
        gate.open()
        tail = b"".join([piece async for piece in pieces])
    (error,) = parse_events(tail)
    assert error["error"]["code"] == "link_not_written"
    assert id.encode() not in tail


@pytest.mark.parametrize(
    ("asked", "calls"),
    [
        ({"background": True}, ["POST {}/cancel", "DELETE {}"]),
        ({"store": False}, []),
    ],
)
async def test_what_nobody_can_name_is_discarded_at_its_provider(gateway, provider, asked, calls):
    id = new_id()
    gateway.shim.cut |= {"PutItem", "SendMessage"}
    provider.respond_with(told(id, "queued"))
    for _ in calls:
        provider.respond_with(encode_response(b'{"error":{}}', 409))  # which changes nothing
    assert (await gateway.create(**asked)).status_code == 503
    sent = [one.line.removesuffix(" HTTP/1.1") for one in provider.received[1:]]
    assert sent == [call.format(f"/v1/responses/{id}") for call in calls]


async def test_the_outcome_of_a_stream_follows_its_late_link(gateway, provider):
    id, gate = new_id(), Gate()
    events = make_events(id)
    gateway.shim.cut |= {"PutItem"}
    provider.respond_with(
        encode_stream_head(),
        encode_chunk(events[0]),
        gate,
        *map(encode_chunk, events[1:]),
        LAST_CHUNK,
    )
    ask = {**ASK, "stream": True, "store": False}  # so that it cannot be asked after
    async with gateway.client.stream("POST", "/responses", json=ask) as got:
        pieces = got.aiter_raw()
        assert await anext(pieces) == events[0]
        gateway.shim.cut.clear()
        gate.open()
        assert b"".join([piece async for piece in pieces]) == b"".join(events[1:])
    row = await gateway.wait_for_row(id, "completed")
    assert row["usage"] == USAGE


async def test_an_outcome_that_cannot_be_written_is_written_later(gateway, provider):
    id = new_id()
    gateway.shim.cut |= {"UpdateItem"}
    provider.respond_with(encode_stream(*make_events(id)))
    got = await gateway.create(stream=True)
    assert got.content == b"".join(make_events(id))
    assert gateway.row(id)["status"] == "in_progress"
    gateway.shim.cut.clear()
    row = await gateway.wait_for_row(id, "completed")
    assert row["usage"] == USAGE
    assert provider.settle_requests(id) == []


async def test_an_outcome_that_nobody_takes_does_not_harm_the_answer(gateway, provider):
    id = new_id()
    gateway.shim.cut |= {"UpdateItem", "SendMessage"}
    provider.respond_with(encode_stream(*make_events(id)))
    assert (await gateway.create(stream=True)).content == b"".join(make_events(id))


async def test_a_late_background_response_is_followed_from_when_it_is_owned(gateway, provider):
    id = new_id()
    gateway.shim.cut |= {"PutItem"}
    provider.respond_with(told(id, "queued"))
    provider.respond_to_settle(id, told(id))
    assert (await gateway.create(background=True)).json()["status"] == "queued"
    gateway.shim.cut.clear()
    row = await gateway.wait_for_row(id, "completed")
    assert row["usage"] == USAGE
    assert len(provider.settle_requests(id)) == 1


@pytest_asyncio.fixture(loop_scope="module")
async def conversation(gateway, provider):
    id = new_id("conv")
    provider.respond_with(encode_response(json.dumps({"id": id}).encode()))
    assert (await gateway.client.post("/conversations")).status_code == 200
    return id


async def add_item(gateway, provider, conversation):
    """The answer to one new item, and the item's id."""
    item = new_id("msg")
    page = {"object": "list", "data": [{"type": "message", "id": item}]}
    provider.respond_with(encode_response(json.dumps(page).encode()))
    body = {"items": [{"role": "user", "content": "x"}]}
    return await gateway.client.post(f"/conversations/{conversation}/items", json=body), item


async def test_added_items_that_cannot_be_recorded_are_owned_later(gateway, provider, conversation):
    gateway.shim.cut |= {"BatchWriteItem"}
    got, item = await add_item(gateway, provider, conversation)
    assert (got.status_code, got.json()["data"][0]["id"]) == (200, item)
    gateway.shim.cut.clear()
    create = {**ASK, "input": [{"type": "item_reference", "id": item}]}
    provider.respond_with(told(new_id()))
    while (await gateway.client.post("/responses", json=create)).status_code == 404:  # noqa: ASYNC110
        await asyncio.sleep(0.1)  # nobody tells of a row


async def test_items_that_are_added_are_not_added_again(gateway, provider, conversation):
    gateway.shim.cut |= {"BatchWriteItem", "SendMessage"}
    got, item = await add_item(gateway, provider, conversation)
    assert (got.status_code, got.json()["error"]["code"]) == (503, "link_not_written")
    assert got.headers["x-should-retry"] == "false"
    assert "retry-after" not in got.headers
    assert item not in got.text


async def test_a_deletion_that_cannot_be_recorded_is_done(gateway, provider, conversation):
    gateway.shim.cut |= {"UpdateItem", "SendMessage"}
    provider.respond_with(encode_response(b'{"deleted":true}'))
    got = await gateway.client.delete(f"/conversations/{conversation}")
    assert got.status_code == 200
