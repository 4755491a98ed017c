"""Requests that tests send through a running gateway: creates, lists, Idempotency-Keys."""

import hashlib
import itertools
import json

from tests.support.canaries import CONTENT
from tests.support.events import make_response, new_id
from tests.support.provider import encode_response

CREATE = {"model": "gpt-5", "input": CONTENT["prompt"]}
CLAIM_SORT_KEY = "CLAIM"
LONG_AGO = 1_600_000_000
# Status, code, and x-should-retry.
IN_FLIGHT = (409, "idempotency_key_in_flight", "true")
NOT_STORED = (409, "idempotency_outcome_not_stored", "false")
_numbers = itertools.count(1)


def create_response(client, provider, model="gpt-5", **fields):
    """The id of a new response with these fields, at the target that serves the model."""
    id = new_id()
    provider.respond_with(encode_response(json.dumps(make_response(id, **fields)).encode()))
    assert client.post("/responses", json={"model": model, "input": "x"}).status_code == 200
    provider.reset()
    return id


def create_from_request(client, provider, **parameters):
    """The id of a new response that was created with these parameters."""
    id = new_id()
    provider.respond_with(encode_response(json.dumps(make_response(id)).encode()))
    got = client.post("/responses", json=CREATE | parameters)
    assert got.status_code == 200, got.text
    provider.reset()
    return id


def create_conversation(client, provider):
    """The id of a new conversation."""
    id = new_id("conv")
    body = json.dumps({"id": id, "metadata": {"a": "b"}}).encode()
    provider.respond_with(encode_response(body))
    assert client.post("/conversations").status_code == 200
    provider.reset()
    return id


def delete_response(client, provider, id):
    provider.respond_with(encode_response(b'{"deleted":true}'))
    assert client.delete(f"/responses/{id}").status_code == 200
    provider.reset()


def read_list(client, path="/responses", **query):
    got = client.get(path, params=query)
    assert got.status_code == 200, got.text
    return got.json()


def list_ids(page):
    return [link["id"] for link in page["data"]]


class KeyedRequest:
    """A create with an Idempotency-Key of its own, and the key of the gateway's row for it."""

    def __init__(self, client, **parameters):
        self.key = f"{CONTENT['Idempotency-Key']}-{next(_numbers)}"
        self.partition = f"T#acme#I#{hashlib.sha256(self.key.encode()).hexdigest()}"
        self._client = client
        self._body = {**CREATE, **parameters}

    def create(self, client=None, *, key=None, **more):
        """Sends the same request, as often as it is called."""
        headers = {"idempotency-key": key or self.key}
        sender = client or self._client
        return sender.post("/responses", json=self._body | more, headers=headers)

    def open_stream(self):
        headers = {"idempotency-key": self.key}
        return self._client.stream("POST", "/responses", json=self._body, headers=headers)


def read_error(got):
    """Status, code, and whether an SDK may send the request again."""
    return got.status_code, got.json()["error"]["code"], got.headers.get("x-should-retry")


def request_lines(provider):
    """The request lines that the provider received, without the version of HTTP."""
    return [got.line.removesuffix(" HTTP/1.1") for got in provider.received]


def count_posts(provider):
    return sum(line.startswith("POST") for line in request_lines(provider))


def encode_stored(id=None, status="completed", **more):
    """The body of a retrieved response, as its provider formats it."""
    return json.dumps(make_response(id or new_id(), status, **more), indent=1).encode()
