"""A provider's refusal of our credential: renewed once, replayed once, never the caller's fault."""

import json

import pytest

from infra.local.aws.resources import secret_name
from tests.support.aws_clients import aws_client
from tests.support.events import make_events, make_response, new_id
from tests.support.function import make_create_event, run_function
from tests.support.provider import encode_response, encode_stream

REFUSED = encode_response(
    b'{"error":{"message":"Incorrect API key provided: sk-1","code":"x"}}', 401
)


TARGETS = [f"rotated-{number}" for number in range(6)]  # one for each test, for a model of its name


@pytest.fixture(scope="module")
def secrets(many):
    return aws_client("secretsmanager", endpoint=many.aws_endpoint)


@pytest.fixture(scope="module")
def function(many, _providers, tmp_path_factory):
    """An environment that has read none of the targets' credentials."""
    folder = tmp_path_factory.mktemp("function")
    base = f"{_providers['first'].address}/v1"
    targets = {name: {"provider": "openai", "base_url": base, "models": [name]} for name in TARGETS}
    for name in TARGETS:
        many.store_credential(name, "old")
    config = folder / "config.json"
    config.write_text(json.dumps({"targets": targets}))
    with run_function(many.aws_endpoint, config, folder / "log") as running:
        yield running


@pytest.fixture(scope="module")
def unused_targets():
    return iter(TARGETS)


@pytest.fixture
def target(unused_targets):
    return next(unused_targets)


@pytest.fixture
def ask(function, target):
    """Sends a create to the test's own target."""

    def ask(*, stream=False):
        return function(make_create_event({"model": target, "input": "x", "stream": stream}))

    return ask


def good(id, stream):
    return (
        encode_stream(*make_events(id))
        if stream
        else encode_response(json.dumps(make_response(id)).encode())
    )


def sent_credentials(provider):
    """The credentials that the provider saw."""
    return [got.headers["authorization"].removeprefix("Bearer ") for got in provider.received]


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
def test_a_rotated_credential_is_read_anew_and_the_request_sent_again(
    ask, providers, secrets, target, stream
):
    provider = providers["first"]
    provider.respond_with(good(new_id(), stream=False))
    assert ask().status == 200
    secrets.put_secret_value(SecretId=secret_name(target), SecretString="new")
    provider.respond_with(REFUSED)
    provider.respond_with(good(new_id(), stream))
    got = ask(stream=stream)
    assert (got.status, sent_credentials(provider)) == (200, ["old", "old", "new"])
    assert got.headers["x-antiphon-attempts"] == "2"


def test_a_credential_that_the_provider_does_not_take_yet_gives_way_to_the_one_before(
    ask, providers, secrets, target
):
    secrets.put_secret_value(SecretId=secret_name(target), SecretString="too-new")
    provider = providers["first"]
    provider.respond_with(REFUSED)
    provider.respond_with(good(new_id(), stream=False))
    provider.respond_with(good(new_id(), stream=False))
    assert [ask().status, ask().status] == [200, 200]
    assert sent_credentials(provider) == ["too-new", "old", "old"]


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
def test_it_is_sent_again_once_and_never_reported_as_the_callers_error(
    ask, providers, secrets, target, stream
):
    secrets.put_secret_value(SecretId=secret_name(target), SecretString="also-wrong")
    provider = providers["first"]
    provider.respond_with(REFUSED)
    provider.respond_with(REFUSED)
    got = ask(stream=stream)
    assert (got.status, json.loads(got.body)["error"]["code"]) == (502, "upstream_auth")
    assert sent_credentials(provider) == ["also-wrong", "old"]
    provider.respond_with(REFUSED)
    assert ask().status == 502
    assert len(provider.received) == 3  # and no version is looked for again so soon


def test_a_target_without_a_credential_has_its_own_error(ask, secrets, target, providers):
    secrets.put_secret_value(SecretId=secret_name(target), SecretString="replace-me")
    got = ask()
    assert (got.status, json.loads(got.body)["error"]["code"]) == (503, "target_credential_missing")
    assert target in json.loads(got.body)["error"]["message"]
    assert sent_credentials(providers["first"]) == []
