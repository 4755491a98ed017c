"""Pass through, provably: what the provider got, and what the caller got, byte for byte."""

import itertools
import json

import pytest

from tests.support.events import make_event, make_events, make_response, new_id
from tests.support.provider import (
    CLOSE,
    LAST_CHUNK,
    encode_chunk,
    encode_response,
    encode_stream,
    encode_stream_head,
)

JSON = {"content-type": "application/json"}
BODIES = [
    b'{"model":"gpt-5","input":"x"}',
    b' {\n\t"input" : "x" ,\r\n "model":"gpt-5" }\n',
    b'{"zeta":1,"model":"gpt-5","alpha":{"b":2,"a":1},"input":"x"}',
    b'{"model":"gpt-5","input":"x","temperature":1e0,"top_p":1.0E-0,"seed":-0,"n":123456789012345678901}',
    b'{"model":"gpt-5","input":"\\u00e9\xc3\xa9\\ud83d\\ude00\\/\\n","brand_new":[null,true,{}]}',
    b'{"model":"gpt-5","input":[{"type":"brand_new_item","x":[]}],"tools":["web_search",{"type":"new"}]}',
    b'{"mod\\u0065l":"gpt-5","input":"x"}',
    b'{"model":"gpt-5","store":false,"input":[{"type":"reasoning","id":"rs_of_gpt_oss","content":[{"type":"reasoning_text","text":"x"}]}]}',
    json.dumps({"model": "gpt-5", "input": "y" * 400_000}).encode(),
]


@pytest.mark.parametrize("body", BODIES, ids=lambda body: repr(body[:30]))
def test_the_provider_gets_exactly_the_callers_bytes(provider, client, body):
    provider.respond_with_json(make_response(new_id()))
    assert client.post("/responses", content=body, headers=JSON).status_code == 200
    assert [got.body for got in provider.received] == [body]
    assert provider.received[0].line == "POST /v1/responses HTTP/1.1"


@pytest.mark.parametrize(
    "answer",
    [
        b'{"id":"%s","object":"response","status":"completed"}',
        b' {\r\n "status" : "completed", "brand_new": 1.0e5,\t"id":"%s" }\n\n',
        b'{"id":"%s","text":"\\u00e9\xc3\xa9","n":-0.0,"big":123456789012345678901234567890}',
    ],
)
def test_the_caller_gets_exactly_the_providers_json(provider, client, answer):
    answer %= new_id().encode()
    provider.respond_with(encode_response(answer))
    assert client.post("/responses", json={"model": "gpt-5", "input": "x"}).content == answer


def spelled(events, old, new):
    return [one.replace(old, new) for one in events]


def sliced(text, *cuts):
    return [text[a:b] for a, b in itertools.pairwise([0, *cuts, len(text)])]


NEW = make_event("response.brand_new", 1, x=[1])
LARGE = make_event("response.output_text.delta", 1, delta="z" * 2_000_000)
STREAMS = {
    "as OpenAI writes": lambda events: events,
    "CRLF": lambda events: spelled(events, b"\n", b"\r\n"),
    "CR": lambda events: spelled(events, b"\n", b"\r"),
    "comments": lambda events: [b": hello\n\n", *events[:2], b": ping\n\n:\n\n", events[2]],
    "no event lines": lambda events: [b"data" + one.partition(b"data")[2] for one in events],
    "no blank behind the colon": lambda events: spelled(events, b"data: ", b"data:"),
    "id and retry": lambda events: [b"id: 7\nretry: 10\n" + one for one in events],
    "many data lines": lambda events: [one.replace(b', "', b',\ndata: "') for one in events],
    "unknown events": lambda events: [events[0], NEW, *events[1:]],
    "[DONE] at the end": lambda events: [*events, b"data: [DONE]\n\n"],
    "[DONE] without a blank line": lambda events: [*events, b"data: [DONE]"],
    "all in one chunk": lambda events: [b"".join(events)],
    "two in one chunk": lambda events: [events[0] + events[1], events[2]],
    "cut inside events": lambda events: sliced(b"".join(events), 9, 150, 160),
    "one byte a chunk": lambda events: [bytes([one]) for one in b"".join(events)],
    "a large event": lambda events: [events[0], LARGE, *events[1:]],
    "an empty line ahead": lambda events: [b"\n\n", *events],
    "a byte-order mark": lambda events: [b"\xef\xbb\xbf" + events[0], *events[1:]],
}  # fmt: skip


@pytest.mark.parametrize("chunked", [True, False], ids=["chunked", "until closed"])
@pytest.mark.parametrize("shape", STREAMS)
def test_the_caller_gets_exactly_the_providers_events(provider, client, shape, chunked):
    chunks = STREAMS[shape](make_events(new_id()))
    script = [*map(encode_chunk, chunks), LAST_CHUNK] if chunked else [*chunks, CLOSE]
    provider.respond_with(encode_stream_head(chunked=chunked), *script)
    got = client.post("/responses", json={"model": "gpt-5", "input": "x", "stream": True})
    assert got.content == b"".join(chunks)
    assert got.headers["content-type"].startswith("text/event-stream")


def test_azure_gets_its_deployments_name_and_no_other_change(provider, client):
    body = b' { "input" : {"model":"public"}, "tools":[ ] ,"model" :\t"public" , "x":1e0 } '
    body = body.replace(b'{"model":"public"}', b'[{"model":"public"}]')
    provider.respond_with_json(make_response(new_id()))
    assert client.post("/responses", content=body, headers=JSON).status_code == 200
    (got,) = provider.received
    assert got.body == body.replace(b'\t"public"', b'\t"deployed"')
    assert got.line == "POST /openai/v1/responses HTTP/1.1"
    assert got.headers["api-key"] == "credential-of-azure"
    assert "authorization" not in got.headers


def test_a_deployment_of_the_same_name_changes_nothing(provider, client):
    body = b' {"model":  "same","input":"x"}'
    provider.respond_with_json(make_response(new_id()))
    client.post("/responses", content=body, headers=JSON)
    assert provider.received[0].body == body


def test_the_older_azure_path_is_spoken_where_it_is_configured(provider, client):
    provider.respond_with_json(make_response(new_id()))
    client.post(
        "/responses?API-Version=a&api-version=b&beta=true&api%2Dversion=c",
        json={"model": "older", "input": "x"},
    )
    assert provider.received[0].line == (
        "POST /openai/responses?beta=true&api-version=2025-04-01-preview HTTP/1.1"
    )


def test_another_dialects_parameter_is_renamed_and_reported(provider, client):
    provider.respond_with_json(make_response(new_id()))
    body = b'{"model":"gpt-5","max_tokens" : 64,"input":"x"}'
    got = client.post("/responses", content=body, headers=JSON)
    assert provider.received[0].body == body.replace(b"max_tokens", b"max_output_tokens")
    assert got.headers["x-antiphon-rewrote"] == "max_tokens=max_output_tokens"


def test_a_stream_is_requested_and_forwarded_at_every_prefix(gateway, provider, door):
    base = gateway.base(door).removesuffix("/v1")
    for prefix in ("/v1", "/openai/v1", "/openai"):
        events = make_events(new_id())
        provider.respond_with(encode_stream(*events))
        with gateway.client(door) as client:
            url = f"{base}{prefix}/responses?api-version=2025-04-01-preview"
            got = client.post(url, json={"model": "gpt-5", "input": "x", "stream": True})
        assert got.content == b"".join(events)
