"""OpenAI by tokens for the function's own AWS identity, without any secret."""

import json

import pytest

from tests.faults.aws_proxy import run_aws_proxy
from tests.support.events import make_events, make_response, new_id
from tests.support.function import make_create_event, run_function
from tests.support.openai_auth import fake_openai_auth
from tests.support.provider import encode_response, encode_stream
from tests.targets.test_entra_at_the_door import SIGNED


@pytest.fixture(scope="module")
def auth():
    with fake_openai_auth() as playing:
        yield playing


@pytest.fixture(scope="module")
def function(many, _providers, auth, tmp_path_factory):
    """The function, and the AWS operations that it calls."""
    folder = tmp_path_factory.mktemp("keyless")
    target = {
        "provider": "openai",
        "base_url": f"{_providers['first'].address}/v1",
        "models": ["*"],
        "auth": "workload_identity",
        "workload_identity": auth.settings,
    }
    config, log = folder / "config.json", folder / "log"
    config.write_text(json.dumps({"targets": {"keyless": target}}))
    signed = SIGNED.replace(b"signed-by-aws", auth.subject_token(exp=2**32).encode())
    with (
        run_aws_proxy(many.aws_endpoint, {"GetWebIdentityToken": signed}) as proxy,
        run_function(proxy.address, config, log) as running,
    ):
        yield running, proxy.calls
    text = log.read_text()
    assert "openai-token-" not in text
    assert auth.requests[0]["subject_token"] not in text


def ask(function, *, stream=False):
    return function[0](make_create_event({"model": "gpt-6", "input": "x", "stream": stream}))


def test_a_token_is_exchanged_once_and_no_secret_is_read(function, auth, providers):
    first = providers["first"]
    for stream in (False, True):
        id = new_id()
        whole = encode_response(json.dumps(make_response(id)).encode())
        first.respond_with(encode_stream(*make_events(id)) if stream else whole)
        assert ask(function, stream=stream).status == 200
    sent = [got.headers["authorization"] for got in first.received]
    exchanges = len(auth.requests)  # one more where the other test was first
    assert sent == [f"Bearer openai-token-{exchanges}"] * 2
    assert function[1].count("GetWebIdentityToken") == exchanges
    assert "GetSecretValue" not in function[1]


def test_a_token_that_openai_refuses_is_replaced_once(function, providers):
    first = providers["first"]
    first.respond_with(encode_response(b'{"error":{"message":"expired"}}', 401))
    first.respond_with(encode_response(json.dumps(make_response(new_id())).encode()))
    assert ask(function).status == 200
    tokens = [got.headers["authorization"].rpartition("-")[2] for got in first.received]
    assert int(tokens[1]) == int(tokens[0]) + 1
