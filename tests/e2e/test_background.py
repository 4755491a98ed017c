"""What had not ended when its create was answered is settled later, from the provider, once."""

import json
from types import SimpleNamespace

import pytest

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
BACKGROUND = {**ASK, "background": True}
USAGE = {
    "input_tokens": 11,
    "input_tokens_details": {"cached_tokens": 8},
    "output_tokens": 5,
    "output_tokens_details": {"reasoning_tokens": 2},
    "total_tokens": 16,
}
ITEM = new_id("msg")
OUTPUT = [{"type": "message", "id": ITEM, "role": "assistant", "content": []}]
# By what is shown of a response: the answers to its polls.
POLLS = {
    "followed": [{"status": "in_progress"}, {"usage": USAGE, "completed_at": 1_800_000_000}],
    "at another target": [{}],
    "cut": [{"usage": USAGE}],
    "with items": [{"output": OUTPUT}],
    "retrieved": [],
    "ended": [],
    "not stored": [],
}


def encode(id, status="completed", **more):
    return encode_response(json.dumps(make_response(id, status, **more)).encode())


@pytest.fixture(scope="module")
def settled(gateway, _provider):
    """Responses that were begun one after the other: their ids, rows and polls in the end."""
    _provider.reset()
    ids = {name: new_id() for name in POLLS}

    def create(name, answer, door="url", **body):
        for each in POLLS[name]:
            _provider.respond_to_settle(ids[name], encode(ids[name], **each))
        _provider.respond_with(*answer)
        with gateway.client(door) as client:
            return client.post("/responses", json={**ASK, **body})

    def begin(name, door="url", **body):
        queued = encode(ids[name], "queued", background=True)
        assert create(name, [queued], door, background=True, **body).json()["status"] == "queued"
        assert row(name)["status"] == "queued"

    def row(name):
        return gateway.row(f"T#acme#R#{ids[name]}")

    begin("retrieved")
    _provider.respond_with(encode(ids["retrieved"], usage=USAGE))
    with gateway.client() as client:
        client.get(f"/responses/{ids['retrieved']}")
    create("ended", [encode(ids["ended"])])
    create("not stored", [encode(ids["not stored"], "in_progress")], store=False)
    begin("followed")
    begin("at another target", "rest", model="older")
    begin("with items")
    events = map(encode_chunk, make_events(ids["cut"])[:2])
    cut = create("cut", [encode_stream_head(), *events, CLOSE], stream=True)
    assert parse_events(cut.content)[-1]["type"] == "response.failed"
    for name in filter(POLLS.get, POLLS):
        gateway.wait_for_row(f"T#acme#R#{ids[name]}", lambda row: row["status"] == "completed")
    return SimpleNamespace(
        rows={name: row(name) for name in ids},
        polls={name: _provider.settle_requests(id) for name, id in ids.items()},
    )


def test_a_background_response_is_followed_to_its_end(settled):
    row = settled.rows["followed"]
    assert (row["usage"], row["completed_at"]) == (USAGE, 1_800_000_000)
    first, second = settled.polls["followed"]
    assert first.line == f"GET /v1/responses/{row['id']} HTTP/1.1"
    assert first.headers["authorization"] == "Bearer credential-of-openai"
    assert first.headers["x-client-request-id"] != second.headers["x-client-request-id"]


def test_it_is_polled_at_its_own_target(settled):
    row = settled.rows["at another target"]
    assert row["target"] == "azure-legacy"
    [got] = settled.polls["at another target"]
    version = "api-version=2025-04-01-preview"
    assert got.line.startswith(f"GET /openai/responses/{row['id']}?{version} ")
    assert got.headers["api-key"] == "credential-of-legacy"


def test_a_cut_stream_is_settled_exactly_and_once(settled):
    row = settled.rows["cut"]
    assert (row["usage"], row["unfinished"]) == (USAGE, None)
    assert len(settled.polls["cut"]) == 1


def test_settled_or_unstored_responses_are_not_polled(settled):
    """The messages of those that were polled came after theirs."""
    assert settled.rows["retrieved"]["usage"] == USAGE
    names = ("retrieved", "ended", "not stored")
    assert [settled.polls[name] for name in names] == [[], [], []]


@pytest.mark.usefixtures("settled")
def test_items_of_a_settled_response_may_be_referred_to(provider, client):
    provider.respond_with(encode(new_id()))
    reference = {"type": "item_reference", "id": ITEM}
    got = client.post("/responses", json={**ASK, "input": [reference]})
    assert got.status_code == 200


def test_a_resumed_stream_that_is_cut_undoes_no_end(gateway, provider):
    id, ends, cuts = new_id(), Gate(), Gate()
    first, *others = make_events(id)
    created = (encode_stream_head(), encode_chunk(first))
    provider.respond_with(*created, ends, *map(encode_chunk, others), LAST_CHUNK)
    provider.respond_with(*created, cuts, CLOSE)
    resume = f"/responses/{id}?stream=true"
    with (
        gateway.client() as client,
        client.stream("POST", "/responses", json={**BACKGROUND, "stream": True}) as create,
    ):
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
