"""Azure by tokens of Entra ID, with a client secret or with the function's own AWS identity."""

import json
from contextlib import ExitStack

import pytest

from tests.faults.aws_proxy import run_aws_proxy
from tests.support.entra import fake_entra
from tests.support.events import make_events, make_response, new_id
from tests.support.function import make_create_event, run_function
from tests.support.provider import encode_response, encode_stream

SIGNED = b"""<GetWebIdentityTokenResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
<GetWebIdentityTokenResult><WebIdentityToken>signed-by-aws</WebIdentityToken>
<Expiration>2099-01-01T00:00:00Z</Expiration></GetWebIdentityTokenResult>
</GetWebIdentityTokenResponse>"""


# One for each test, for a model of its name: how its token is obtained.
TARGETS = {"by-secret": "secret", "by-aws": "aws", "replaced": "aws", "refused": "aws"}


@pytest.fixture(scope="module")
def entras():
    """By target, so that each test sees the requests for its own tokens."""
    with ExitStack() as stack:
        yield {name: stack.enter_context(fake_entra()) for name in TARGETS}


@pytest.fixture(scope="module")
def function(many, _providers, entras, tmp_path_factory):
    """An environment before the Azure targets, and the AWS operations that it calls."""
    folder = tmp_path_factory.mktemp("function")
    targets = {
        name: {
            "provider": "azure",
            "endpoint": _providers["azure-a"].address,
            "models": {name: "d"},
            "auth": "entra",
            "entra": {**entras[name].app, "identity": identity},
        }
        for name, identity in TARGETS.items()
    }
    many.store_credential("by-secret", "client-secret")
    config, log = folder / "config.json", folder / "log"
    config.write_text(json.dumps({"targets": targets}))
    with (
        run_aws_proxy(many.aws_endpoint, {"GetWebIdentityToken": SIGNED}) as proxy,
        run_function(proxy.address, config, log) as running,
    ):
        yield running, proxy.calls
    text = log.read_text()
    assert not any(word in text for word in ("token-", "client-secret", "signed-by-aws"))


@pytest.fixture
def ask(function):
    def ask(model, *, stream=False):
        return function[0](make_create_event({"model": model, "input": "x", "stream": stream}))

    return ask


@pytest.fixture
def calls(function):
    function[1].clear()
    return function[1]


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


def authorizations(azure):
    assert all("api-key" not in got.headers for got in azure.received)
    return [got.headers["authorization"] for got in azure.received]


def test_a_client_secret_gets_a_token_which_is_used_again(ask, entras, azure):
    for stream in (False, True):
        azure.respond_with(good(stream=stream))
        assert ask("by-secret", stream=stream).status == 200
    assert authorizations(azure) == ["Bearer token-1"] * 2
    requests = entras["by-secret"].requests
    assert [got.form["client_secret"] for got in requests] == ["client-secret"]


def test_the_functions_own_identity_needs_no_secret_anywhere(ask, calls, entras, azure):
    for _ in range(2):
        azure.respond_with(good())
        assert ask("by-aws").status == 200
    assert authorizations(azure) == ["Bearer token-1"] * 2
    assert [got.form["client_assertion"] for got in entras["by-aws"].requests] == ["signed-by-aws"]
    assert calls.count("GetWebIdentityToken") == 1
    assert "GetSecretValue" not in calls


def test_a_token_that_azure_does_not_take_is_replaced_once(ask, entras, azure):
    azure.respond_with(encode_response(b'{"error":{"code":"401","message":"expired"}}', 401))
    azure.respond_with(good())
    got = ask("replaced")
    assert (got.status, authorizations(azure)) == (200, ["Bearer token-1", "Bearer token-2"])
    assert len(entras["replaced"].requests) == 2


def test_entras_refusal_is_no_fault_of_the_callers(ask, entras, azure):
    entras["refused"].assertions.clear()
    got = ask("refused")
    error = json.loads(got.body)["error"]
    assert (got.status, error["code"]) == (503, "target_credential_missing")
    assert azure.received == []
