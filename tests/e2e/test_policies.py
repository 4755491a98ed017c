"""A request that violates a policy is refused by both doors, and no provider hears of it."""

import pytest

from tests.support.events import make_response, new_id

GOOD = {"model": "gpt-5", "input": "x"}
PICTURE = {"type": "input_image", "image_url": "https://evil.example/a.png"}
MESSAGE = {"role": "user", "content": [{"type": "input_text", "text": "x"}, PICTURE]}
MCP = {"type": "mcp", "server_label": "a", "server_url": "https://mcp.acme.com"}
CASES = {
    "a tool": ("/responses", {**GOOD, "tools": [{"type": "namespace", "name": "n", "tools": [MCP]}]}, "tools[0].tools[0].type"),
    "a stream": ("/responses", {**GOOD, "stream": True, "tools": ["web_search"]}, "tools[0]"),
    "a picture": ("/responses", {**GOOD, "input": [MESSAGE]}, "input[0].content[1].image_url"),
    "a count": ("/responses/input_tokens", {**GOOD, "input": [MESSAGE]}, "input[0].content[1].image_url"),
    "a compaction": ("/responses/compact", {**GOOD, "input": [MESSAGE]}, "input[0].content[1].image_url"),
    "a conversation": ("/conversations", {"items": [{"role": "user", "content": "x"}]}, "items"),
    "a model elsewhere": ("/responses", {**GOOD, "model": "public"}, None),
}  # fmt: skip


@pytest.fixture
def client(gateway, door):
    with gateway.client(door, "ruled") as opened:
        yield opened


@pytest.mark.parametrize("name", CASES)
def test_a_violation_is_a_403_and_nothing_is_sent(client, provider, name):
    path, body, param = CASES[name]
    response = client.post(path, json=body)
    error = response.json()["error"]
    assert (response.status_code, error["code"], error["param"]) == (
        403,
        "policy_violation",
        param,
    )
    assert "[policies.strict]" in error["message"]
    assert response.headers["x-should-retry"] == "false"
    assert provider.received == []


def test_storing_is_switched_off_in_the_callers_bytes(client, provider):
    provider.respond_with_json(make_response(new_id()))
    body = b'{ "model":"gpt-5", "store":true , "input":"\\u00e9"}'
    headers = {"content-type": "application/json"}
    response = client.post("/responses", content=body, headers=headers)
    assert response.status_code == 200
    assert response.headers["x-antiphon-rewrote"] == "store=false"
    assert [got.body for got in provider.received] == [body.replace(b"true", b"false")]


def test_a_resource_is_made_at_a_permitted_target_only(client, provider):
    headers = {"x-antiphon-target": "azure"}
    refused = client.post("/vector_stores", json={"name": "x"}, headers=headers)
    assert refused.status_code == 400
    assert "Allowed: openai, simulated." in refused.json()["error"]["message"]
    assert provider.received == []


def test_models_are_listed_if_a_permitted_target_serves_them(client, gateway):
    names = {each["id"] for each in client.get("/models").json()["data"]}
    assert "o3" in names
    assert "public" not in names
    assert client.get("/models/public").status_code == 404
    with gateway.client() as other:
        assert other.get("/models/public").status_code == 200
