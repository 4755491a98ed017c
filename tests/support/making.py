"""Things that a caller has made through the gateway, before a test begins."""

import json

from tests.support.provider import whole
from tests.support.samples import new_id, response


def made(client, provider, model="gpt-5", **more):
    """The id of a response that has just been made at the target which serves the model."""
    id = new_id()
    provider.answers(whole(json.dumps(response(id, **more)).encode()))
    assert client.post("/responses", json={"model": model, "input": "x"}).status_code == 200
    provider.forget()
    return id


def opened(client, provider):
    id = new_id("conv")
    provider.answers(whole(json.dumps({"id": id, "metadata": {"a": "b"}}).encode()))
    assert client.post("/conversations").status_code == 200
    provider.forget()
    return id
