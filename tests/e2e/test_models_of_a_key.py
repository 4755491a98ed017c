"""A key may be for certain models: it sees them alone, and every other is unknown to it."""

import pytest

from antiphon.store import keys
from tests.support.events import make_response, new_id

KEY = "sk-acme-few-models-1"


@pytest.fixture
def client(gateway):
    gateway.put(keys.key_row(KEY, "acme", models=["gpt-5", "pub*"]))
    with gateway.client() as client:
        client.headers["authorization"] = f"Bearer {KEY}"
        yield client


def test_the_list_has_what_the_key_may_call(client, gateway):
    with gateway.client() as unlimited:
        every = {model["id"] for model in unlimited.get("/models").json()["data"]}
    listed = [model["id"] for model in client.get("/models").json()["data"]]
    assert listed == ["gpt-5", "public"]
    assert {"same", "older", *listed} < every


def test_another_model_is_unknown_to_it(client, provider):
    for call in (
        lambda: client.get("/models/same"),
        lambda: client.post("/responses", json={"model": "gpt-5-pro", "input": "x"}),
        lambda: client.post("/responses/input_tokens", json={"model": "same", "input": "x"}),
        lambda: client.post("/responses/compact", json={"model": "older", "input": "x"}),
    ):
        got = call()
        assert (got.status_code, got.json()["error"]["code"]) == (404, "model_not_found")
    assert provider.received == []


NEARLY = [
    "GPT-5", "Gpt-5", " gpt-5", "gpt-5 ", "gpt-5\n", "gpt-5\t", "gpt-5\0", "gpt-5\u200b", "gpt\u20115",
    "\uff47pt-5", "gpt-5-2025-08-07", "gpt-5-mini", "gpt-5.1", "gpt-5*", "gpt-*", "*", "?", "", "ft:gpt-5:acme::1",
    "openai/gpt-5", "openai:gpt-5", "gpt-5,o3", "gpt-5;o3", "gpt-5|o3", "o3/../gpt-5", "gpt-5%20", "gpt-5#o3", "gpt-5?o3",
    "deployed", "Public", "PUBLIC", "o3", "same", None, True, 5, [], ["gpt-5"], {}, {"id": "gpt-5"},
]  # fmt: skip


@pytest.mark.parametrize("model", NEARLY, ids=repr)
def test_a_name_that_is_nearly_its_own_is_not(client, provider, model):
    got = client.post("/responses", json={"model": model, "input": "x"})
    assert got.status_code in ({404, 400} if isinstance(model, str) else {400})
    assert got.json()["error"]["param"] == "model"
    assert provider.received == []


@pytest.mark.parametrize("body", [b'{"model":"gpt-5","model":"o3","input":"x"}', b'{"input":"x"}'])
def test_what_is_checked_is_what_is_sent(client, provider, body):
    assert client.post("/responses", content=body).status_code == 400
    assert provider.received == []


def test_its_own_models_are_served(client, provider):
    assert client.get("/models/public").json()["id"] == "public"
    for model in ("gpt-5", "public"):
        provider.respond_with_json(make_response(new_id()))
        got = client.post("/responses", json={"model": model, "input": "x"})
        assert got.status_code == 200
