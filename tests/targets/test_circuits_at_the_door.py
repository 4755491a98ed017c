"""Two environments, one table: what one learns of a target, the other goes by."""

import json
from contextlib import contextmanager

import pytest

from tests.faults.aws_proxy import run_aws_proxy
from tests.support.events import make_response, new_id
from tests.support.function import make_create_event, run_function
from tests.support.gateway import KEYS
from tests.support.provider import encode_response

TRIES = 5
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
    options = {"key_cache_seconds": 300, "table_seconds": 30}
    config.write_text(json.dumps({"gateway": options, "targets": targets}))
    yield lambda endpoint=many.aws_endpoint: run_function(endpoint, config, tmp_path / "log")
    many.change("G#CIRCUITS", "STATE", until_shared_a=0)


def good():
    return encode_response(json.dumps(make_response(new_id())).encode())


def ask(function):
    return function(make_create_event({"model": "m", "input": "x"}))


def counts(providers):
    return [len(providers[name].received) for name in ("first", "second")]


@contextmanager
def environment_that_knows(environment, providers):
    """One more environment and its first answer, by which it knows the open circuit.

    It reads the circuits within 0.2 seconds or not at all, and a busy machine may need longer:
    then its first target refuses a request, and the next environment is started.
    """
    left, right = providers["first"], providers["second"]
    for _ in range(TRIES):
        with environment() as another:
            left.reset()
            right.reset()
            left.respond_with(BUSY)
            right.respond_with(good())
            got = ask(another)
            if left.received == []:
                left.reset()
                yield another, got
                return
    raise AssertionError("No environment knows the open circuit.")


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
    with environment_that_knows(environment, providers) as (another, first):
        assert (first.headers["x-antiphon-target"], counts(providers)) == ("shared-b", [0, 1])
        assert first.headers["x-antiphon-attempts"] == "1"
        right.respond_with(encode_response(b"{}", 503))
        left.respond_with(good())
        got = ask(another)  # the target with the open circuit, because no other is left
        assert (got.status, got.headers["x-antiphon-target"]) == (200, "shared-a")


def test_a_healthy_request_reads_the_circuits_once_in_the_cache_time(environment, providers, many):
    left = providers["first"]
    with run_aws_proxy(many.aws_endpoint) as proxy, environment(proxy.address) as one:
        left.respond_with(good())
        assert ask(one).status == 200
        # The key, the circuits, and the link in the end.
        assert proxy.calls == ["GetItem", "GetItem", "GetSecretValue", "BatchWriteItem"]
        proxy.calls.clear()
        left.respond_with(good())
        assert ask(one).status == 200
        assert proxy.calls == ["BatchWriteItem"]


def ask_with(function, key, proxy):
    """The status, and the calls of AWS that the request took."""
    proxy.calls.clear()
    status = function(make_create_event({"model": "m", "input": "x"}, key)).status
    return status, list(proxy.calls)


@pytest.mark.parametrize("fault", ["throttled", "hanging"])
def test_random_keys_and_a_busy_circuits_row_fail_no_known_key(environment, providers, many, fault):
    with run_aws_proxy(many.aws_endpoint) as proxy, environment(proxy.address) as one:
        proxy.faults, proxy.spared = {"GetItem": fault}, {"GetItem": 1}  # the key's row is read
        providers["first"].respond_with(good())
        status, calls = ask_with(one, KEYS["acme"], proxy)
        assert (status, set(calls[1:-2])) == (200, {"GetItem"})
        for number in range(3):  # each costs one read, of a row of its own
            assert ask_with(one, f"sk-antiphon-random-{number}", proxy) == (401, ["GetItem"])
            assert ask_with(one, f"sk-antiphon-random-{number}", proxy) == (401, [])
        assert ask_with(one, "sk antiphon", proxy) == (401, [])  # malformed
        providers["first"].respond_with(good())
        assert ask_with(one, KEYS["acme"], proxy) == (200, ["BatchWriteItem"])
        # Another known key: the circuits are not asked again at once.
        providers["first"].respond_with(good())
        assert ask_with(one, KEYS["umbra"], proxy) == (200, ["GetItem", "BatchWriteItem"])
