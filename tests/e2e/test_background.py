"""What had not ended when its create was answered is settled later, from the provider, once."""

import json

from tests.support.events import make_events, make_response, new_id, parse_events
from tests.support.provider import (
    CLOSE,
    LAST_CHUNK,
    Gate,
    encode_chunk,
    encode_response,
    encode_stream_head,
)

ASK = {"model": "gpt-5", "input": "x"}
USAGE = {
    "input_tokens": 11,
    "input_tokens_details": {"cached_tokens": 8},
    "output_tokens": 5,
    "output_tokens_details": {"reasoning_tokens": 2},
    "total_tokens": 16,
}


def encode(id, status="completed", **more):
    return encode_response(json.dumps(make_response(id, status, **more)).encode())


def begun(gateway, provider):
    """A background response, answered while it is queued."""
    id = new_id()
    provider.respond_with(encode(id, "queued", background=True))
    with gateway.client() as client:
        got = client.post("/responses", json={**ASK, "background": True})
    assert (got.status_code, got.json()["status"]) == (200, "queued")
    assert gateway.row(f"T#acme#R#{id}")["status"] == "queued"
    return id


def settled(gateway, id):
    return gateway.wait_for_row(
        f"T#acme#R#{id}", lambda row: row["status"] in {"completed", "cancelled"}
    )


def test_a_background_response_is_followed_to_its_end(gateway, provider):
    id = begun(gateway, provider)
    provider.respond_to_settle(id, encode(id, "in_progress"))
    provider.respond_to_settle(id, encode(id, usage=USAGE, completed_at=1_800_000_000))
    row = settled(gateway, id)
    assert (row["status"], row["usage"]) == ("completed", USAGE)
    assert row["completed_at"] == 1_800_000_000
    first, second = provider.settle_requests(id)
    assert first.line == f"GET /v1/responses/{id} HTTP/1.1"
    assert first.headers["authorization"] == "Bearer credential-of-openai"
    assert first.headers["x-client-request-id"] != second.headers["x-client-request-id"]


def test_it_is_polled_at_its_own_target(gateway, provider):
    id = new_id()
    provider.respond_with(encode(id, "queued"))
    provider.respond_to_settle(id, encode(id))
    with gateway.client("rest") as client:
        client.post("/responses", json={**ASK, "model": "older", "background": True})
    assert settled(gateway, id)["target"] == "azure-legacy"
    [got] = provider.settle_requests(id)
    assert got.line.startswith(f"GET /openai/responses/{id}?api-version=2025-04-01-preview ")
    assert got.headers["api-key"] == "credential-of-legacy"


def test_a_cut_stream_is_settled_exactly_and_once(gateway, provider):
    id = new_id()
    provider.respond_with(encode_stream_head(), *map(encode_chunk, make_events(id)[:2]), CLOSE)
    provider.respond_to_settle(id, encode(id, usage=USAGE))
    with gateway.client() as client:
        got = client.post("/responses", json={**ASK, "stream": True})
    assert parse_events(got.content)[-1]["type"] == "response.failed"
    row = settled(gateway, id)
    assert (row["status"], row["usage"], row["unfinished"]) == ("completed", USAGE, None)
    assert len(provider.settle_requests(id)) == 1


def test_a_resumed_stream_that_is_cut_undoes_no_end(gateway, provider):
    id, ends, cuts = new_id(), Gate(), Gate()
    first, *others = make_events(id)
    created = (encode_stream_head(), encode_chunk(first))
    provider.respond_with(*created, ends, *map(encode_chunk, others), LAST_CHUNK)
    provider.respond_with(*created, cuts, CLOSE)
    background = {**ASK, "stream": True, "background": True}
    resume = f"/responses/{id}?stream=true"
    with gateway.client() as client, client.stream("POST", "/responses", json=background) as create:
        create_chunks = create.iter_raw()
        assert next(create_chunks) == first
        with client.stream("GET", resume) as resumed:
            resumed_chunks = resumed.iter_raw()
            assert next(resumed_chunks) == first
            ends.open()
            assert b"".join(create_chunks) == b"".join(others)
            cuts.open()
            assert parse_events(b"".join(resumed_chunks))[-1]["type"] == "response.failed"
    row = gateway.row(f"T#acme#R#{id}")
    assert (row["status"], row["usage"], row.get("unfinished")) == (
        "completed",
        make_response(id)["usage"],
        None,
    )


def test_a_stream_that_was_idle_for_too_long_is_settled(hasty, provider):
    """Here the function is stopped after eight seconds, so its own deadline ends the stream."""
    id = new_id()
    provider.respond_with(encode_stream_head(), encode_chunk(make_events(id)[0]))
    provider.respond_to_settle(id, encode(id, "cancelled", usage=USAGE))
    with hasty.client() as client:
        client.post("/responses", json={**ASK, "stream": True})
    assert settled(hasty, id)["usage"] == USAGE


def test_settled_or_unstored_responses_are_not_polled(gateway, provider):
    retrieved, ended, unkept = begun(gateway, provider), new_id(), new_id()
    provider.respond_with(encode(retrieved, usage=USAGE))
    provider.respond_with(encode(ended))
    provider.respond_with(encode(unkept, "in_progress"))
    with gateway.client() as client:
        client.get(f"/responses/{retrieved}")
        assert gateway.row(f"T#acme#R#{retrieved}")["usage"] == USAGE
        client.post("/responses", json=ASK)
        client.post("/responses", json={**ASK, "store": False})
    last = begun(gateway, provider)  # its message comes after those of the others
    provider.respond_to_settle(last, encode(last))
    settled(gateway, last)
    assert [provider.settle_requests(id) for id in (retrieved, ended, unkept)] == [[], [], []]


def test_items_of_a_settled_response_may_be_referred_to(gateway, provider):
    id, item = new_id(), new_id("msg")
    output = [{"type": "message", "id": item, "role": "assistant", "content": []}]
    provider.respond_with(encode(id, "queued"))
    provider.respond_to_settle(id, encode(id, output=output))
    with gateway.client() as client:
        client.post("/responses", json={**ASK, "background": True})
        settled(gateway, id)
        provider.respond_with(encode(new_id()))
        reference = {"type": "item_reference", "id": item}
        got = client.post("/responses", json={"model": "gpt-5", "input": [reference]})
    assert got.status_code == 200
