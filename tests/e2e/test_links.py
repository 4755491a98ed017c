"""The ledger: whose a response is, and where it lives, is written before its id is given out."""

import pytest

from tests.support.concurrency import wait_for
from tests.support.events import make_events, make_response, new_id
from tests.support.provider import (
    CLOSE,
    LAST_CHUNK,
    Gate,
    encode_chunk,
    encode_stream,
    encode_stream_head,
)
from tests.support.requests import create_from_request, list_ids, read_list

ASK = {"model": "gpt-5", "input": "secret words of the caller", "metadata": {"team": "blue"}}


def test_a_response_is_owned_with_its_usage(gateway, provider, client):
    id = new_id()
    provider.respond_with_json(make_response(id))
    client.post("/responses", json=ASK)
    row = gateway.row(f"T#acme#R#{id}")
    assert row is not None
    assert (row["tenant"], row["target"], row["status"]) == ("acme", "openai", "completed")
    assert (row["model"], row["upstream_model"]) == ("gpt-5", "gpt-5-2026")
    assert (row["root"], row["metadata"]) == (id, {"team": "blue"})
    assert row["usage"] == {"input_tokens": 3, "output_tokens": 4, "total_tokens": 7}
    assert row["created_ms"] // 1000 <= row["completed_at"] < row["expires_at"]
    assert row["key_id"].startswith("key_")
    assert "secret words" not in str(row)


NAMES_OF_ATTRIBUTES = {
    "pk": "T#umbra#R#x", "sk": "LINK", "tenant": "umbra", "key_id": "key_x", "id": "resp_x",
    "target": "azure", "root": "resp_x", "status": "failed", "usage": "0", "store": "false",
    "expires_at": "1", "deleted_at": "1", "alias_of": "resp_x", "metadata": "x", "#": "=",
}  # fmt: skip


def test_no_name_in_metadata_means_anything_to_the_gateway(gateway, provider, client):
    id = create_from_request(client, provider, metadata=NAMES_OF_ATTRIBUTES)
    row = gateway.row(f"T#acme#R#{id}")
    assert row["metadata"] == NAMES_OF_ATTRIBUTES
    names = ("tenant", "id", "root", "target", "status", "store")
    assert [row[name] for name in names] == ["acme", id, id, "openai", "completed", True]
    assert row["expires_at"] > row["completed_at"]
    assert not {"deleted_at", "alias_of", "#"} & row.keys()
    query = {"metadata[tenant]": "umbra"}
    wait_for(lambda: list_ids(read_list(client, **query)), lambda ids: id in ids)
    with gateway.client(key="umbra") as umbra:
        assert list_ids(read_list(umbra, **query)) == []


def test_the_link_is_there_before_the_event_that_names_it(gateway, provider, client):
    id = new_id()
    gate = Gate()
    events = make_events(id)
    provider.respond_with(
        encode_stream_head(),
        encode_chunk(events[0]),
        gate,
        *map(encode_chunk, events[1:]),
        LAST_CHUNK,
    )
    ask = {**ASK, "stream": True}
    with client.stream("POST", "/responses", json=ask) as got:
        pieces = got.iter_raw()
        assert next(pieces) == events[0]
        early = gateway.row(f"T#acme#R#{id}")
        gate.open()
        assert b"".join(pieces) == events[1] + events[2]
    late = gateway.row(f"T#acme#R#{id}")
    assert early is not None
    assert late is not None
    assert (early["status"], early.get("usage")) == ("in_progress", None)
    assert (late["status"], late["usage"]["total_tokens"]) == ("completed", 7)


def test_a_cut_stream_is_marked_as_unfinished(gateway, provider, client):
    id = new_id()
    provider.respond_with(encode_stream_head(), encode_chunk(make_events(id)[0]), CLOSE)
    client.post("/responses", json={**ASK, "stream": True})
    row = gateway.row(f"T#acme#R#{id}")
    assert row is not None
    assert (row["status"], row["unfinished"]) == ("in_progress", "cut")


def test_a_chain_stays_where_it_began_and_keeps_its_root(gateway, provider, client):
    first, second = new_id(), new_id()
    provider.respond_with_json(make_response(first))
    provider.respond_with(encode_stream(*make_events(second)))
    client.post("/responses", json={**ASK, "model": "same"})
    more = {"model": "public", "input": "x", "previous_response_id": first, "stream": True}
    client.post("/responses", json=more)
    assert [got.line.split()[1] for got in provider.received] == ["/openai/v1/responses"] * 2
    row = gateway.row(f"T#acme#R#{second}")
    assert row is not None
    assert (row["root"], row["previous_response_id"], row["target"]) == (first, first, "azure")


@pytest.mark.parametrize("stream", [False, True])
def test_another_tenants_response_is_as_unknown_as_none(gateway, provider, door, stream):
    id = new_id()
    provider.respond_with_json(make_response(id))
    answers = []
    with gateway.client(door) as acme, gateway.client(door, "umbra") as umbra:
        acme.post("/responses", json=ASK)
        for foreign in (id, new_id()):
            ask = {**ASK, "previous_response_id": foreign, "stream": stream}
            got = umbra.post("/responses", json=ask)
            answers.append((got.status_code, got.text.replace(foreign, "ID")))
    assert answers[0] == answers[1]
    assert answers[0][0] == 400
    assert "previous_response_not_found" in answers[0][1]
    assert len(provider.received) == 1


def test_a_model_that_the_parents_target_lacks_is_not_looked_for_elsewhere(provider, client):
    id = new_id()
    provider.respond_with_json(make_response(id))
    client.post("/responses", json=ASK)
    got = client.post("/responses", json={**ASK, "model": "public", "previous_response_id": id})
    assert (got.status_code, got.json()["error"]["code"]) == (404, "model_not_found")
    assert len(provider.received) == 1
