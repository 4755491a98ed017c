"""Creates that carry an Idempotency-Key, and the row that the gateway keeps of one."""

import hashlib
import itertools
import json

from tests.support.samples import new_id, response

ASK = {"model": "gpt-5", "input": "x"}
SORT = "CLAIM"
LONG_AGO = 1_600_000_000
IN_FLIGHT = (409, "idempotency_key_in_flight", "true")
NOT_STORED = (409, "idempotency_outcome_not_stored", "false")
_numbers = itertools.count(1)


class Keyed:
    """A key of its own for each."""

    def __init__(self, client, **ask):
        self.key = f"key-{next(_numbers)}"
        self.partition = f"T#acme#I#{hashlib.sha256(self.key.encode()).hexdigest()}"
        self._client = client
        self._ask = {**ASK, **ask}

    def create(self, client=None, *, key=None, **more):
        """The same request, as often as it is wanted."""
        headers = {"idempotency-key": key or self.key}
        sender = client or self._client
        return sender.post("/responses", json=self._ask | more, headers=headers)

    def opened(self):
        """Its stream, while it comes."""
        headers = {"idempotency-key": self.key}
        return self._client.stream("POST", "/responses", json=self._ask, headers=headers)


def error(got):
    """Status, code, and whether an SDK may send the request again."""
    return got.status_code, got.json()["error"]["code"], got.headers.get("x-should-retry")


def lines(provider):
    """What the provider was asked, without the version of HTTP."""
    return [got.line.removesuffix(" HTTP/1.1") for got in provider.received]


def posts(provider):
    return sum(line.startswith("POST") for line in lines(provider))


def stored(id=None, status="completed", **more):
    """A response as its provider gives it when it is retrieved."""
    return json.dumps(response(id or new_id(), status, **more), indent=1).encode()
