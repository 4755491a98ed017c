"""Azure by tokens of Entra ID, with a client secret or with the function's own AWS identity."""

import json
from contextlib import contextmanager

import boto3
import pytest

from infra.local.aws.resources import SECRET_PREFIX
from tests.support.aws import LOCAL_AWS, count_aws_calls
from tests.support.entra import FakeEntra
from tests.support.events import make_events, make_response, new_id
from tests.support.function import make_create_event, run_function
from tests.support.provider import encode_response, encode_stream

SIGNED = b"""<GetWebIdentityTokenResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
<GetWebIdentityTokenResult><WebIdentityToken>signed-by-aws</WebIdentityToken>
<Expiration>2099-01-01T00:00:00Z</Expiration></GetWebIdentityTokenResult>
</GetWebIdentityTokenResponse>"""


@pytest.fixture
def entra():
    played = FakeEntra()
    yield played
    played.close()


@pytest.fixture
def secrets(many):
    return boto3.client("secretsmanager", endpoint_url=many.aws_endpoint, **LOCAL_AWS)


@pytest.fixture
def function(many, providers, entra, tmp_path):
    """Starts an environment before one Azure target, whose token is got in one of the ways."""

    @contextmanager
    def starting(target, identity):
        section = {
            "provider": "azure",
            "endpoint": providers["azure-a"].address,
            "models": {"m": "d"},
            "auth": "entra",
            "entra": {**entra.app, "identity": identity},
        }
        config = tmp_path / "config.json"
        config.write_text(json.dumps({"targets": {target: section}}))
        log, instead = tmp_path / "log", {"GetWebIdentityToken": SIGNED}
        with (
            count_aws_calls(many.aws_endpoint, instead) as (endpoint, calls),
            run_function(endpoint, config, log) as asked,
        ):
            yield asked, calls
        written = log.read_text()
        assert not any(word in written for word in ("token-", "client-secret", "signed-by-aws"))

    return starting


def ask(function, *, stream=False):
    return function(make_create_event({"model": "m", "input": "x", "stream": stream}))


def good(*, stream=False):
    id = new_id()
    return (
        encode_stream(*make_events(id))
        if stream
        else encode_response(json.dumps(make_response(id)).encode())
    )


@pytest.fixture
def azure(providers):
    return providers["azure-a"]


def shown(azure):
    assert all("api-key" not in got.headers for got in azure.received)
    return [got.headers["authorization"] for got in azure.received]


def test_a_client_secret_gets_a_token_which_is_used_again(function, entra, azure, secrets):
    name = f"entra-{new_id()[-8:]}"
    secrets.create_secret(Name=f"{SECRET_PREFIX}/{name}", SecretString="client-secret")
    with function(name, "secret") as (asked, _):
        for stream in (False, True):
            azure.respond_with(good(stream=stream))
            assert ask(asked, stream=stream).status == 200
    assert shown(azure) == ["Bearer token-1"] * 2
    assert [got.form["client_secret"] for got in entra.requests] == ["client-secret"]


def test_the_functions_own_identity_needs_no_secret_anywhere(function, entra, azure):
    with function("entra-aws", "aws") as (asked, calls):
        for _ in range(2):
            azure.respond_with(good())
            assert ask(asked).status == 200
    assert shown(azure) == ["Bearer token-1"] * 2
    assert [got.form["client_assertion"] for got in entra.requests] == ["signed-by-aws"]
    assert calls.count("GetWebIdentityToken") == 1
    assert "GetSecretValue" not in calls


def test_a_token_that_azure_does_not_take_is_replaced_once(function, entra, azure):
    with function("entra-aws", "aws") as (asked, _):
        azure.respond_with(encode_response(b'{"error":{"code":"401","message":"expired"}}', 401))
        azure.respond_with(good())
        got = ask(asked)
    assert (got.status, shown(azure)) == (200, ["Bearer token-1", "Bearer token-2"])
    assert len(entra.requests) == 2


def test_entras_refusal_is_no_fault_of_the_callers(function, entra, azure):
    entra.assertions.clear()
    with function("entra-aws", "aws") as (asked, _):
        got = ask(asked)
    error = json.loads(got.body)["error"]
    assert (got.status, error["code"]) == (503, "target_credential_missing")
    assert azure.received == []
