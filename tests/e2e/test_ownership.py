"""The ownership matrix: every call that takes an id, by every kind of caller."""

import json
import time

import pytest

from tests.support.concurrency import IS_SOAK
from tests.support.events import make_events, make_response, new_id
from tests.support.provider import encode_stream

ASK = {"model": "gpt-5", "input": "x"}


def body(**more):
    return {"json": {**ASK, **more}}


RESPONSE_CALLS = {  # name: (method, path, body of the call for an id)
    "retrieve": ("GET", "/responses/{}", lambda _: {}),
    "resume": ("GET", "/responses/{}?stream=true&starting_after=1", lambda _: {}),
    "cancel": ("POST", "/responses/{}/cancel", lambda _: {}),
    "input items": ("GET", "/responses/{}/input_items", lambda _: {}),
    "continue": ("POST", "/responses", lambda id: body(previous_response_id=id)),
    "continue streamed": ("POST", "/responses", lambda id: body(previous_response_id=id, stream=True)),
    "compare": ("POST", "/responses", lambda id: body(prompt_cache_options={"comparison_response_id": id})),
    "count": ("POST", "/responses/input_tokens", lambda id: body(previous_response_id=id)),
    "compact": ("POST", "/responses/compact", lambda id: body(previous_response_id=id)),
    "delete": ("DELETE", "/responses/{}", lambda _: {}),
}  # fmt: skip
CONVERSATION_CALLS = {
    "retrieve": ("GET", "/conversations/{}", lambda _: {}),
    "update": ("POST", "/conversations/{}", lambda _: {"json": {"metadata": {}}}),
    "items": ("GET", "/conversations/{}/items", lambda _: {}),
    "add items": ("POST", "/conversations/{}/items", lambda _: {"json": {"items": []}}),
    "item": ("GET", "/conversations/{}/items/msg_1", lambda _: {}),
    "delete item": ("DELETE", "/conversations/{}/items/msg_1", lambda _: {}),
    "continue": ("POST", "/responses", lambda id: body(conversation=id)),
    "continue by object": (
        "POST",
        "/responses",
        lambda id: body(conversation={"id": id, "new": 1}),
    ),
    "count": ("POST", "/responses/input_tokens", lambda id: body(conversation=id)),
    "delete": ("DELETE", "/conversations/{}", lambda _: {}),
}
ITEM_CALLS = {
    "refer": ("POST", "/responses", lambda id: body(input=[{"type": "item_reference", "id": id}])),
    "refer untyped": ("POST", "/responses", lambda id: body(input=[{"id": id}])),
    "bare reasoning": ("POST", "/responses", lambda id: body(input=[{"type": "reasoning", "id": id, "summary": []}])),
    "reasoning by its id": ("POST", "/responses", lambda id: body(input=[{"type": "reasoning", "id": id, "summary": [{"type": "summary_text", "text": "x"}]}])),
    "bare item of any kind": ("POST", "/responses", lambda id: body(input=[{"type": "brand_new_call", "id": id, "status": "completed"}])),
    "bare image": ("POST", "/responses", lambda id: body(input=[{"type": "image_generation_call", "id": id}])),
    "count": ("POST", "/responses/input_tokens", lambda id: body(input=[{"type": "item_reference", "id": id}])),
    "open": ("POST", "/conversations", lambda id: {"json": {"items": [{"type": "item_reference", "id": id}]}}),
}  # fmt: skip
CALLS = [
    *(("response", name) for name in RESPONSE_CALLS),
    *(("conversation", name) for name in CONVERSATION_CALLS),
    *(("item", name) for name in ITEM_CALLS),
]
TABLES = {"response": RESPONSE_CALLS, "conversation": CONVERSATION_CALLS, "item": ITEM_CALLS}
OWNERS = [("url", "acme"), ("rest", "acme's other")]  # each call has one of them outside the soak
ROWS = {"response": ("R", "LINK"), "conversation": ("C", "LINK"), "item": ("X", "ITEM")}


@pytest.fixture
def owned(gateway, provider, door):
    """`owned(kind)`: the id of something that acme has just made."""

    def make(kind):
        with gateway.client(door) as client:
            if kind == "conversation":
                id = new_id("conv")
                made = {"id": id, "object": "conversation", "created_at": 1, "metadata": {}}
                provider.respond_with_json(made)
                assert client.post("/conversations", json={}).status_code == 200
                return id
            id, item = new_id(), new_id("msg")
            output = [{"type": "message", "id": item}]
            provider.respond_with_json({**make_response(id), "output": output})
            assert client.post("/responses", json=ASK).status_code == 200
            return id if kind == "response" else item

    return make


def send(gateway, door, key, kind, name, id):
    method, path, more = TABLES[kind][name]
    with gateway.client(door, key) as client:
        return client.request(method, path.format(id), **more(id))


def good(provider, name, id):
    """An answer that fits the call; a call that creates something gets another id."""
    if name not in {"retrieve", "resume", "cancel", "update"}:
        id = new_id()
    if name in {"resume", "continue streamed"}:
        provider.respond_with(encode_stream(*make_events(id)))
    else:
        provider.respond_with_json(make_response(id))


@pytest.mark.parametrize(
    ("door", "key", "kind", "name"),
    [
        (*OWNERS[(n + place) % len(OWNERS)], *call)
        for n, call in enumerate(CALLS)
        for place in range(len(OWNERS) if IS_SOAK else 1)
    ],
)
def test_the_tenants_own_keys_come_through(gateway, provider, door, owned, kind, name, key):
    id = owned(kind)
    good(provider, name, id)
    got = send(gateway, door, key, kind, name, id)
    assert got.status_code == 200
    assert len(provider.received) == 2


def expired(gateway, kind, id):
    letter, sort = ROWS[kind]
    gateway.change(f"T#acme#{letter}#{id}", sort, expires_at=int(time.time()) - 1)


def deleted(gateway, kind, id):
    letter, sort = ROWS[kind]
    gateway.change(f"T#acme#{letter}#{id}", sort, deleted_at=int(time.time()))


@pytest.mark.parametrize("kind", TABLES)
def test_other_tenants_learn_nothing_and_no_provider_is_called(
    gateway, provider, door, owned, kind
):
    foreign, old = owned(kind), owned(kind)
    expired(gateway, kind, old)
    cases = [
        ("umbra", foreign),
        ("acme", old),
        ("acme", new_id("none")),
        ("acme", "no.such!id"),
        ("acme", "x" * 300),
    ]
    if kind != "item":
        gone = owned(kind)
        deleted(gateway, kind, gone)
        cases.append(("acme", gone))
    provider.reset()
    for name in TABLES[kind]:
        answers = set()
        for key, id in cases:
            got = send(gateway, door, key, kind, name, id)
            answers.add((got.status_code, got.text.replace(id, "ID")))
        assert provider.received == [], name
        assert len(answers) == 1, (name, answers)  # one and the same for all of them
        ((status, text),) = answers
        error = json.loads(text)["error"]
        assert "not found" in error["message"], name
        creates = (
            name in {"continue", "continue streamed", "count", "compact"} and kind == "response"
        )
        expected = (400, "previous_response_not_found") if creates else (404, None)
        assert (status, error["code"]) == expected, name


@pytest.mark.parametrize("door", ["url"])
@pytest.mark.parametrize("kind", TABLES)
def test_a_revoked_key_opens_nothing(gateway, provider, door, owned, kind):
    gateway.revoke("acme's revoked")
    id = owned(kind)
    provider.reset()
    for name in TABLES[kind]:
        got = send(gateway, door, "acme's revoked", kind, name, id)
        assert (got.status_code, got.json()["error"]["code"]) == (401, "invalid_api_key"), name
    assert provider.received == []


def test_what_was_deleted_stays_refused(gateway, provider, door, owned):
    for kind in ("response", "conversation"):
        id = owned(kind)
        provider.respond_with_json({"id": id, "deleted": True})
        assert send(gateway, door, "acme", kind, "delete", id).status_code == 200
        provider.reset()
        for name in ("retrieve", "continue", "delete"):
            assert send(gateway, door, "acme", kind, name, id).status_code in {400, 404}
        assert provider.received == []


def test_a_conversation_that_the_provider_makes_by_itself_is_owned(gateway, provider, client, door):
    id, conversation = new_id(), new_id("conv")
    events = make_events(id)
    named = f'"conversation": {{"id": "{conversation}"}}, "output":'.encode()
    events[0] = events[0].replace(b'"output":', named, 1)
    provider.respond_with(encode_stream(*events))
    client.post("/responses", json={**ASK, "stream": True})
    good(provider, "retrieve", conversation)
    assert send(gateway, door, "acme", "conversation", "retrieve", conversation).status_code == 200
    provider.reset()
    assert send(gateway, door, "umbra", "conversation", "retrieve", conversation).status_code == 404
    assert provider.received == []
