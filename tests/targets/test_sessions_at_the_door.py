"""Headers of agents, such as Codex, both ways; a turn stays at the target that issued its state."""

import hashlib
import json

import pytest

from tests.support.events import make_events, make_response, new_id
from tests.support.provider import NOT_PROCESSED, encode_response, encode_stream

TURN_STATE = "x-codex-turn-state"
TO_PROVIDER = {
    "x-codex-turn-metadata": "{}",
    "x-codex-beta-features": "a,b",
    "session-id": "s-1",
    "session_id": "s-2",
    "thread-id": "t-1",
    "conversation_id": "c-1",
    "originator": "codex_cli_rs",
    "x-openai-subagent": "review",
    "version": "0.99.0",
    "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    "tracestate": "acme=1",
    "x-acme-team": "blue",
    "x-acme-te": "the start of another name in pass_headers",
    "x-note": "y",
}
NOT_TO_PROVIDER = {
    "cookie": "a=b",
    "x-api-key": "k",
    "x-acme-api-key": "k",
    "x-acme-authorization": "k",
    "openai-organization": "org-1",
    "x-forwarded-for": "1.2.3.4",
    "x-other": "y",
}
UNSENDABLE = {"x-codex-note": b"\xc3\xa9", "openai-beta": b"a\xa0b", "x-note": b"\xff"}
TO_CALLER = {
    TURN_STATE: "state",
    "x-codex-primary-used-percent": "7",
    "openai-model": "gpt-5-codex",
    "x-models-etag": "e",
    "x-reasoning-included": "true",
    "x-acme-region": "r",
}
NOT_TO_CALLER = {"set-cookie": "a=b", "openai-organization": "org-1", "x-acme-secret": "s"}


def answer(*, stream=False, **headers):
    if stream:
        return encode_stream(*make_events(new_id()), **headers)
    return encode_response(json.dumps(make_response(new_id())).encode(), **headers)


def create(gateway, door="url", key="acme", model="two", headers=(), **more):
    with gateway.client(door, key) as client:
        body = {"model": model, "input": "x", **more}
        got = client.post("/responses", json=body, headers=headers)
    assert got.status_code == 200, got.text
    return got


def test_headers_of_agents_go_to_the_provider(many, providers, door):
    providers["first"].respond_with(answer())
    create(many, door, headers={**TO_PROVIDER, **NOT_TO_PROVIDER})
    (got,) = providers["first"].received
    assert TO_PROVIDER.items() <= got.headers.items()
    assert not NOT_TO_PROVIDER.keys() & got.headers.keys()


def test_a_value_that_cannot_be_sent_drops_its_header(many, providers, door):
    providers["first"].respond_with(answer())
    create(many, door, headers={**UNSENDABLE, "x-codex-window": "w"})
    (got,) = providers["first"].received
    assert got.headers["x-codex-window"] == "w"
    assert not UNSENDABLE.keys() & got.headers.keys()


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
def test_headers_for_agents_come_back(many, providers, door, stream):
    providers["first"].respond_with(answer(stream=stream, **TO_CALLER, **NOT_TO_CALLER))
    got = create(many, door, stream=stream)
    assert TO_CALLER.items() <= dict(got.headers).items()
    assert not NOT_TO_CALLER.keys() & got.headers.keys()


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
def test_a_turn_stays_at_the_target_that_issued_its_state(many, providers, stream):
    state = new_id("turn")
    providers["first"].respond_with(*NOT_PROCESSED["503"])
    providers["second"].respond_with(answer(stream=stream, **{TURN_STATE: state}))
    issued = create(many, stream=stream).headers[TURN_STATE]
    assert issued == state
    for _ in range(2):
        providers["second"].respond_with(answer(stream=stream))
        got = create(many, stream=stream, headers={TURN_STATE: issued})
        assert got.headers["x-antiphon-target"] == "second"
        assert providers["second"].received[-1].headers[TURN_STATE] == state


@pytest.mark.parametrize(("key", "model"), [("umbra", "two"), ("acme", "one")])
def test_a_state_binds_no_other_tenant_and_no_other_model(many, providers, key, model):
    state = new_id("turn")
    providers["first"].respond_with(*NOT_PROCESSED["503"])
    providers["second"].respond_with(answer(**{TURN_STATE: state}))
    create(many)
    providers["first"].respond_with(answer())
    got = create(many, key=key, model=model, headers={TURN_STATE: state})
    assert got.headers["x-antiphon-target"] == "first"


@pytest.mark.parametrize("separator", [":", " "])
def test_the_row_of_a_turn_is_no_item(many, providers, separator):
    state = new_id("turn")
    providers["first"].respond_with(answer(**{TURN_STATE: state}))
    create(many)
    providers["first"].reset()
    id = f"turn{separator}{hashlib.sha256(state.encode()).hexdigest()}"
    body = {"model": "two", "input": [{"type": "item_reference", "id": id}]}
    with many.client() as client:
        assert client.post("/responses", json=body).status_code == 404
    assert providers["first"].received == []
