"""Batches by openai-python: made, polled, cancelled, and their results read."""

import asyncio
import json

import openai
import pytest

ENDED = {"completed", "failed", "expired", "cancelled"}


@pytest.fixture
def gateway(played):
    return played


def line(id, **body):
    body = {"model": "gpt-4.1", "input": f"Hello {id}", **body}
    return {"custom_id": id, "method": "POST", "url": "/v1/responses", "body": body}


async def create(sdk, *lines, name="lines.jsonl"):
    content = "\n".join(map(json.dumps, lines)).encode()
    file = await sdk.call("files.create", file=(name, content), purpose="batch")
    return await sdk.call(
        "batches.create",
        input_file_id=file.id,
        endpoint="/v1/responses",
        completion_window="24h",
        metadata={"team": "search"},
    )


async def end(sdk, batch):
    while batch.status not in ENDED:
        await asyncio.sleep(0.02)
        batch = await sdk.call("batches.retrieve", batch.id)
    return batch


async def test_the_tour_of_a_batch(sdk, stranger):
    made = await create(sdk, line("a"), line("b"), line("c", model="sim-429"))
    batch = await end(sdk, made)
    assert (batch.status, batch.request_counts.completed) == ("completed", 2)
    results = (await sdk.call("files.content", batch.output_file_id)).text.splitlines()
    bodies = [json.loads(result)["response"]["body"] for result in results]
    assert [each["output"][0]["content"][0]["text"] for each in bodies] == [
        "You said: Hello a",
        "You said: Hello b",
    ]
    files = {each.id: each for each in await sdk.pages("files.list", purpose="batch_output")}
    for id in (batch.output_file_id, batch.error_file_id):
        assert files[id] == await sdk.call("files.retrieve", id)
    for name, id in (("batches.retrieve", batch.id), ("files.content", batch.output_file_id)):
        with pytest.raises(openai.NotFoundError):
            await stranger.call(name, id)
    assert batch in await sdk.pages("batches.list", limit=1)
    assert batch.id not in {each.id for each in await stranger.pages("batches.list")}


async def test_a_slow_batch_is_cancelled(sdk):
    made = await create(sdk, line("a"), name="sim-pending-30s.jsonl")
    assert (await sdk.call("batches.cancel", made.id)).status == "cancelling"
    assert (await end(sdk, made)).status == "cancelled"


async def test_a_line_with_a_foreign_id_makes_no_batch(sdk, stranger):
    foreign = await stranger.create(model="gpt-4.1", input="secret")
    with pytest.raises(openai.NotFoundError) as refusal:
        await create(sdk, line("a"), line("b", previous_response_id=foreign.id))
    assert refusal.value.param == "input_file_id: line 2: previous_response_id"
