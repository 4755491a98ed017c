"""What the other endpoints refuse by name, and the models there are."""

import pytest

from tests.support.requests import create_conversation, create_response


@pytest.mark.parametrize(
    ("path", "param"),
    [("{}/input_items?limit=0", "limit"), ("{}/input_items?limit=101", "limit"),
     ("{}/input_items?limit=x", "limit"), ("{}/input_items?order=up", "order"),
     ("{}/input_items?limit=1&limit=2", "limit"), ("{}/input_items?After=msg_1", "After"),
     ("{}?stream=true&stream=false", "stream"), ("{}?stream=false&stream=false", "stream"),
     ("{}?STREAM=true", "STREAM"), ("{}?model=o3", "model"),
     ("{}?stream=perhaps", "stream"), ("{}?stream=true&starting_after=-1", "starting_after")],
)  # fmt: skip
def test_bad_queries_are_refused_by_name(provider, client, path, param):
    id = create_response(client, provider)
    got = client.get("/responses/" + path.format(id))
    assert (got.status_code, got.json()["error"]["param"]) == (400, param)
    assert provider.received == []


@pytest.mark.parametrize(
    ("path", "body", "param"),
    [("", {"items": [{}] * 21}, "items"), ("", {"items": 5}, "items"), ("", {"metadata": {"a": 1}}, "metadata.a"),
     ("/{}", {}, "metadata"), ("/{}/items", {}, "items"), ("/{}/items", {"items": ["x"]}, "items[0]")],
)  # fmt: skip
def test_bad_bodies_are_refused_by_name(provider, client, path, body, param):
    id = create_conversation(client, provider)
    got = client.post("/conversations" + path.format(id), json=body)
    assert (got.status_code, got.json()["error"]["param"]) == (400, param)
    assert provider.received == []


def test_models_are_those_that_the_gateway_serves(gateway, door):
    with gateway.client(door, "umbra") as client:
        names = [model["id"] for model in client.get("/models").json()["data"]]
        one = client.get("/models/public")
        none = client.get("/models/dall-e")
    assert {"gpt-5", "older", "public", "same"} <= set(names)
    assert "dall-e" not in names
    assert one.json() == {"id": "public", "object": "model", "created": 0, "owned_by": "azure"}
    assert (none.status_code, none.json()["error"]["code"]) == (404, "model_not_found")
