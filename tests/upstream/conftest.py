"""Transports and credentials: two targets with a key, one with a client secret, one with an identity."""

import pytest

from antiphon.settings.targets import AzureTarget, OpenAITarget
from antiphon.upstream.credentials import Credentials
from antiphon.upstream.entra import EntraTokens
from tests.support.aws import FakeSts
from tests.support.aws import fake_secrets as a_vault
from tests.support.dynamodb import embedded_store
from tests.support.entra import fake_entra as an_entra
from tests.support.routing import CircuitClock, CircuitEnvironment
from tests.support.upstream import plain_transport

AZURE = {"provider": "azure", "endpoint": "https://acme.openai.azure.com", "models": {"a": "b"}}


@pytest.fixture
def entra():
    with an_entra() as playing:
        yield playing


@pytest.fixture
def vault():
    with a_vault() as made:
        made.put("client-secret", "azure")
        yield made


@pytest.fixture
def sts():
    return FakeSts()


@pytest.fixture
def credentials(transport, vault, sts, entra):
    key = OpenAITarget(provider="openai", models=["*"])
    apps = {"azure": entra.app, "by-identity": {**entra.app, "identity": "aws"}}
    tokens = EntraTokens(transport, vault.secrets, sts.identity.token, vault.time)
    targets = {n: AzureTarget(**AZURE, auth="entra", entra=app) for n, app in apps.items()}
    return Credentials({"openai": key, "other": key, **targets}, vault.secrets, tokens)


@pytest.fixture
def rotated(vault, credentials):
    """Where `old` is known for `openai`, and another key has since been put in its place."""
    vault.put("old")
    credentials.get("openai")
    vault.put("new")
    vault.stages.clear()
    return credentials


@pytest.fixture
def transport():
    """A transport for providers that speak plain HTTP."""
    with plain_transport() as made:
        yield made


@pytest.fixture
def clock():
    return CircuitClock()


@pytest.fixture
def dynamo():
    with embedded_store() as table:
        yield table


@pytest.fixture
def two(dynamo, clock):
    return CircuitEnvironment(dynamo, clock), CircuitEnvironment(dynamo, clock)
