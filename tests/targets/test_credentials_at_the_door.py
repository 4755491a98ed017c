"""A provider's refusal of our credential: renewed once, replayed once, never the caller's fault."""

import json

import boto3
import pytest

from infra.local.aws.resources import SECRET_PREFIX
from tests.support.aws import LOCAL_AWS
from tests.support.events import make_events, make_response, new_id
from tests.support.function import make_create_event, run_function
from tests.support.provider import encode_response, encode_stream

REFUSED = encode_response(
    b'{"error":{"message":"Incorrect API key provided: sk-1","code":"x"}}', 401
)


@pytest.fixture
def secrets(many):
    return boto3.client("secretsmanager", endpoint_url=many.aws_endpoint, **LOCAL_AWS)


@pytest.fixture
def target(secrets):
    """A target with a credential of its own; gives its name."""
    name = f"target-{new_id()[-8:]}"
    secrets.create_secret(Name=f"{SECRET_PREFIX}/{name}", SecretString="old")
    yield name
    secrets.delete_secret(SecretId=f"{SECRET_PREFIX}/{name}", ForceDeleteWithoutRecovery=True)


@pytest.fixture
def function(many, providers, target, tmp_path):
    """An environment that has just begun, before that target."""
    base = f"{providers['first'].address}/v1"
    section = {"provider": "openai", "base_url": base, "models": ["m"]}
    config = tmp_path / "config.json"
    config.write_text(json.dumps({"targets": {target: section}}))
    with run_function(many.aws_endpoint, config, tmp_path / "log") as asked:
        yield asked


def good(id, stream):
    return (
        encode_stream(*make_events(id))
        if stream
        else encode_response(json.dumps(make_response(id)).encode())
    )


def shown(provider):
    """The credentials that the provider saw."""
    return [got.headers["authorization"].removeprefix("Bearer ") for got in provider.received]


def ask(function, *, stream=False):
    return function(make_create_event({"model": "m", "input": "x", "stream": stream}))


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
def test_a_rotated_credential_is_read_anew_and_the_request_sent_again(
    function, providers, secrets, target, stream
):
    provider = providers["first"]
    provider.respond_with(good(new_id(), stream=False))
    assert ask(function).status == 200
    secrets.put_secret_value(SecretId=f"{SECRET_PREFIX}/{target}", SecretString="new")
    provider.respond_with(REFUSED)
    provider.respond_with(good(new_id(), stream))
    got = ask(function, stream=stream)
    assert (got.status, shown(provider)) == (200, ["old", "old", "new"])
    assert got.headers["x-antiphon-attempts"] == "2"


def test_a_credential_that_the_provider_does_not_take_yet_gives_way_to_the_one_before(
    function, providers, secrets, target
):
    secrets.put_secret_value(SecretId=f"{SECRET_PREFIX}/{target}", SecretString="too-new")
    provider = providers["first"]
    provider.respond_with(REFUSED)
    provider.respond_with(good(new_id(), stream=False))
    provider.respond_with(good(new_id(), stream=False))
    assert [ask(function).status, ask(function).status] == [200, 200]
    assert shown(provider) == ["too-new", "old", "old"]


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
def test_it_is_sent_again_once_and_never_reported_as_the_callers_error(
    function, providers, secrets, target, stream
):
    secrets.put_secret_value(SecretId=f"{SECRET_PREFIX}/{target}", SecretString="also-wrong")
    provider = providers["first"]
    provider.respond_with(REFUSED)
    provider.respond_with(REFUSED)
    got = ask(function, stream=stream)
    assert (got.status, json.loads(got.body)["error"]["code"]) == (502, "upstream_auth")
    assert shown(provider) == ["also-wrong", "old"]
    provider.respond_with(REFUSED)
    assert ask(function).status == 502
    assert len(provider.received) == 3  # and no version is looked for again so soon


def test_a_target_without_a_credential_has_its_own_error(function, secrets, target, providers):
    secrets.put_secret_value(SecretId=f"{SECRET_PREFIX}/{target}", SecretString="replace-me")
    got = ask(function)
    assert (got.status, json.loads(got.body)["error"]["code"]) == (503, "target_credential_missing")
    assert target in json.loads(got.body)["error"]["message"]
    assert shown(providers["first"]) == []
