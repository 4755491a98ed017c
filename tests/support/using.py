"""What tests of usage ask for, and what it takes and costs."""

import itertools
import json
from datetime import UTC, datetime, timedelta

from tests.support.provider import whole
from tests.support.samples import response

_models = (f"gpt-usage-{n}" for n in itertools.count())
PRICED = "gpt-5-2025-08-07"  # 1.25 dollars for a million in, 0.125 cached, 10 out
USAGE = {
    "input_tokens": 1000,
    "input_tokens_details": {"cached_tokens": 400},
    "output_tokens": 100,
    "output_tokens_details": {"reasoning_tokens": 60},
    "total_tokens": 1100,
}
SPENT = {
    "input_tokens": 1000,
    "cached_tokens": 400,
    "output_tokens": 100,
    "reasoning_tokens": 60,
    "total_tokens": 1100,
    "cost_usd": "0.0018",  # 600 * 1.25 + 400 * 0.125 + 100 * 10
}

UNPRICED = {name: number for name, number in SPENT.items() if name != "cost_usd"}


def new_model():
    """A model nobody else asks for, so that a test finds its own sums."""
    return next(_models)


def told(id, status="completed", **more):
    return whole(json.dumps(answer(id, status, **more)).encode())


def answer(id, status="completed", **more):
    return response(id, status, **{"model": PRICED, "usage": USAGE, **more})


def asked(client, model, **more):
    got = client.post("/responses", json={"model": model, "input": "x", **more})
    assert got.status_code == 200, got.text
    return got


def report(client, **query):
    got = client.get("/usage", params=query)
    assert got.status_code == 200, got.text
    return got.json()


def bucket(client, model, requests):
    """The one sum of a model, once so many are counted; the time limit ends a vain wait."""
    while True:
        found = [each for each in report(client)["data"] if each["model"] == model]
        if sum(each["requests"] for each in found) == requests:
            [one] = found
            return one
        assert sum(each["requests"] for each in found) < requests


def counts(told):
    """What of a sum is not nothing."""
    names = ("object", "day", "model", "target", "key_id")
    return {n: v for n, v in told.items() if n not in names and v not in (0, "0")}


def days_around_now():
    now = datetime.now(UTC)
    return {(now - timedelta(minutes=m)).date().isoformat() for m in (0, 5)}
