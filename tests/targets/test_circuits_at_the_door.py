"""Two environments, one table: what one learns of a target, the other goes by."""

import json

import pytest

from tests.faults.aws_proxy import run_aws_proxy
from tests.support.events import make_response, new_id
from tests.support.function import make_create_event, run_function
from tests.support.provider import encode_response

BUSY = encode_response(
    b'{"error":{"message":"m","code":"rate_limit_exceeded"}}', 429, retry_after="600"
)


@pytest.fixture
def environment(many, providers, tmp_path):
    """Starts one more environment of one function with two targets."""
    addresses = {"shared-a": providers["first"].address, "shared-b": providers["second"].address}
    targets = {
        name: {"provider": "openai", "base_url": f"{url}/v1", "models": ["m"], "priority": rank}
        for rank, (name, url) in enumerate(addresses.items())
    }
    config = tmp_path / "config.json"
    config.write_text(json.dumps({"gateway": {"key_cache_seconds": 300}, "targets": targets}))
    yield lambda endpoint=many.aws_endpoint: run_function(endpoint, config, tmp_path / "log")
    many.change("G#CIRCUITS", "STATE", until_shared_a=0)


def good():
    return encode_response(json.dumps(make_response(new_id())).encode())


def ask(function):
    return function(make_create_event({"model": "m", "input": "x"}))


def counts(providers):
    return [len(providers[name].received) for name in ("first", "second")]


def test_what_one_environment_learns_the_next_one_knows(environment, providers):
    left, right = providers["first"], providers["second"]
    with environment() as one:
        left.respond_with(BUSY)
        right.respond_with(good())
        got = ask(one)
        assert (got.status, got.headers["x-antiphon-attempts"]) == (200, "2")
        right.respond_with(good())
        assert ask(one).headers["x-antiphon-attempts"] == "1"
    assert counts(providers) == [1, 2]
    with environment() as another:
        right.respond_with(good())
        got = ask(another)
        assert (got.headers["x-antiphon-target"], counts(providers)) == ("shared-b", [1, 3])
        right.respond_with(encode_response(b"{}", 503))
        left.respond_with(good())
        got = ask(another)  # the target with the open circuit, because no other is left
        assert (got.status, got.headers["x-antiphon-target"]) == (200, "shared-a")


def test_a_healthy_request_reads_and_writes_nothing_for_it(environment, providers, many):
    left = providers["first"]
    with run_aws_proxy(many.aws_endpoint) as proxy, environment(proxy.address) as one:
        left.respond_with(good())
        assert ask(one).status == 200
        assert proxy.calls == [
            "BatchGetItem",
            "GetSecretValue",
            "PutItem",
        ]  # the key's row, the link's
        proxy.calls.clear()
        left.respond_with(good())
        assert ask(one).status == 200
        assert proxy.calls == ["PutItem"]
