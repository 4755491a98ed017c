"""What tests of the gateway's own lists ask for, and make first."""

import json

from tests.support.provider import whole
from tests.support.samples import new_id, response


def listed(client, path="/responses", **query):
    got = client.get(path, params=query)
    assert got.status_code == 200, got.text
    return got.json()


def ids(page):
    return [link["id"] for link in page["data"]]


def delete(client, provider, id):
    provider.answers(whole(b'{"deleted":true}'))
    assert client.delete(f"/responses/{id}").status_code == 200
    provider.forget()


def asked(client, provider, **ask):
    """The id of a response that has just been made with such a request."""
    id = new_id()
    provider.answers(whole(json.dumps(response(id)).encode()))
    got = client.post("/responses", json={"model": "gpt-5", "input": "x", **ask})
    assert got.status_code == 200, got.text
    provider.forget()
    return id
