"""Every endpoint of the provider: to the target that holds the object, and back byte for byte."""

import pytest

from tests.support.events import make_event, make_events, make_response, new_id
from tests.support.provider import (
    LAST_CHUNK,
    encode_chunk,
    encode_response,
    encode_stream,
    encode_stream_head,
)
from tests.support.requests import create_conversation, create_response

ODD = b' {\n "id":"%s", "status" : "completed","x":1.0e2 , "y":"\\u00e9" }\r\n'


RESPONSE = [
    ("GET", "/responses/{}?include%5B%5D=a&include%5B%5D=b", b""),
    ("GET", "/responses/{}", b""),
    ("POST", "/responses/{}/cancel", b""),
    ("DELETE", "/responses/{}", b""),
    ("GET", "/responses/{}/input_items?limit=3&order=asc&after=msg_1&include%5B%5D=a", b""),
]
CONVERSATION = [
    ("GET", "/conversations/{}", b""),
    ("POST", "/conversations/{}", b' {"metadata" : {"a":"b"}}'),
    ("GET", "/conversations/{}/items?limit=100&order=desc", b""),
    ("POST", "/conversations/{}/items?include%5B%5D=a", b'{"items":[ {"type":"new"} ]}'),
    ("GET", "/conversations/{}/items/msg_7", b""),
    ("DELETE", "/conversations/{}/items/msg_7", b""),
    ("DELETE", "/conversations/{}", b""),
]


@pytest.mark.parametrize(("method", "path", "body"), RESPONSE)
@pytest.mark.parametrize(
    ("model", "prefix", "query"),
    [
        ("gpt-5", "/v1", ""),
        ("public", "/openai/v1", ""),
        ("older", "/openai", "api-version=2025-04-01-preview"),
    ],
)
def test_a_call_on_a_response_goes_where_it_lives(
    provider, client, method, path, body, model, prefix, query
):
    id = create_response(client, provider, model)
    answer = ODD % id.encode()
    provider.respond_with(encode_response(answer))
    got = client.request(method, path.format(id), content=body)
    assert (got.status_code, got.content) == (200, answer)
    (request,) = provider.received
    where = prefix + path.format(id)
    if query:
        where += ("&" if "?" in where else "?") + query
    assert request.line == f"{method} {where} HTTP/1.1"
    assert request.body == body


@pytest.mark.parametrize(("method", "path", "body"), CONVERSATION)
def test_a_call_on_a_conversation_goes_where_it_lives(provider, client, method, path, body):
    id = create_conversation(client, provider)
    answer = ODD % id.encode()
    provider.respond_with(encode_response(answer))
    headers = {"content-type": "application/json"}
    got = client.request(method, path.format(id), content=body, headers=headers)
    assert (got.status_code, got.content) == (200, answer)
    (request,) = provider.received
    assert request.line == f"{method} /v1{path.format(id)} HTTP/1.1"
    assert request.body == body


@pytest.mark.parametrize("path", ["/responses/input_tokens", "/responses/compact"])
def test_what_leaves_nothing_behind_passes_with_the_model_spelled(provider, client, path):
    body = b' {"input":"x", "model" : "public", "x":[1e0]} '
    provider.respond_with(encode_response(b'{"object":"x", "n" : 1e0}'))
    got = client.post(path, content=body)
    assert got.content == b'{"object":"x", "n" : 1e0}'
    assert provider.received[0].line == f"POST /openai/v1{path} HTTP/1.1"
    assert provider.received[0].body == body.replace(b"public", b"deployed")


def test_a_resumed_stream_passes_and_settles_the_link(gateway, provider, client):
    id = new_id()
    provider.respond_with_json(make_response(id, "queued"))
    client.post("/responses", json={"model": "gpt-5", "input": "x", "background": True})
    assert gateway.row(f"T#acme#R#{id}")["status"] == "queued"
    rest = make_events(id)[1:]
    provider.respond_with(encode_stream(*rest))
    got = client.get(f"/responses/{id}?stream=true&starting_after=0&include_obfuscation=false")
    assert got.content == b"".join(rest)
    assert provider.received[-1].line.startswith(
        f"GET /v1/responses/{id}?stream=true&starting_after=0"
    )
    row = gateway.row(f"T#acme#R#{id}")
    assert (row["status"], row["usage"]["total_tokens"]) == ("completed", 7)


def test_a_cut_resumed_stream_ends_with_the_pair(provider, client):
    id = create_response(client, provider)
    first = make_event("response.output_text.delta", 4, delta="x")
    provider.respond_with(encode_stream_head(), encode_chunk(first), LAST_CHUNK)
    got = client.get(f"/responses/{id}?stream=true&starting_after=3")
    assert got.content.startswith(first)
    assert b'"type":"error","' in got.content or b'"error"' in got.content
    assert b'"sequence_number":5' in got.content


def test_background_is_answered_at_once_and_followed_by_a_retrieval(gateway, provider, client):
    id = new_id()
    provider.respond_with_json(make_response(id, "queued"))
    got = client.post("/responses", json={"model": "gpt-5", "input": "x", "background": True})
    assert got.json()["status"] == "queued"
    provider.respond_with_json(make_response(id))
    client.get(f"/responses/{id}")
    row = gateway.row(f"T#acme#R#{id}")
    assert (row["status"], row["usage"]["total_tokens"]) == ("completed", 7)


def test_a_conversations_metadata_is_stored_and_amended(gateway, provider, client):
    id = create_conversation(client, provider)
    row = gateway.row(f"T#acme#C#{id}")
    assert row["metadata"] == {"a": "b"}
    assert row["expires_at"] - row["created_ms"] // 1000 > 365 * 86_400  # as at the provider
    provider.respond_with_json({"id": id, "metadata": {"c": "d"}})
    client.post(f"/conversations/{id}", json={"metadata": {"c": "d"}})
    assert gateway.row(f"T#acme#C#{id}")["metadata"] == {"c": "d"}


def test_items_that_a_list_shows_can_be_referred_to(provider, client):
    item = new_id("msg")
    id = create_response(client, provider)
    provider.respond_with_json({"object": "list", "data": [{"id": item}]})
    client.get(f"/responses/{id}/input_items")
    provider.respond_with_json(make_response(new_id()))
    ask = {"model": "gpt-5", "input": [{"type": "item_reference", "id": item}]}
    assert client.post("/responses", json=ask).status_code == 200


def test_things_at_two_targets_cannot_meet_in_one_request(provider, client):
    here = create_response(client, provider)
    item = new_id("msg")
    output = [{"type": "message", "id": item}]
    create_response(client, provider, "public", output=output)
    ask = {"model": "gpt-5", "previous_response_id": here}
    ask["input"] = [{"type": "item_reference", "id": item}]
    got = client.post("/responses", json=ask)
    assert (got.status_code, got.json()["error"]["code"]) == (400, "targets_differ")
    assert provider.received == []


def test_what_lives_at_a_target_that_is_gone_is_refused_with_a_reason(gateway, provider, client):
    id = create_response(client, provider)
    gateway.change(f"T#acme#R#{id}", target="retired")
    body = {"model": "gpt-5", "input": "x", "previous_response_id": id}
    for got in (client.get(f"/responses/{id}"), client.post("/responses", json=body)):
        assert (got.status_code, got.headers["x-should-retry"]) == (400, "false")
        assert got.json()["error"]["code"] == "target_not_configured"
        assert "'retired'" in got.json()["error"]["message"]
    assert provider.received == []
