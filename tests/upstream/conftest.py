"""Transports, and credentials: keys, a client secret, an AWS identity at Azure and at OpenAI."""

import pytest

from antiphon.settings.targets import AzureTarget, OpenAITarget
from antiphon.upstream.credentials import Credentials, token_fetches
from antiphon.upstream.entra import EntraTokens
from antiphon.upstream.openai_tokens import OpenAITokens
from antiphon.upstream.tokens import TokenCache
from tests.support.aws import FakeSts
from tests.support.aws import fake_secrets as a_vault
from tests.support.dynamodb import embedded_store
from tests.support.entra import fake_entra as an_entra
from tests.support.openai_auth import fake_openai_auth
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
def openai_auth():
    with fake_openai_auth() as playing:
        yield playing


@pytest.fixture
def credentials(transport, vault, sts, entra, openai_auth):
    key = OpenAITarget(provider="openai", models=["*"])
    apps = {"azure": entra.app, "by-identity": {**entra.app, "identity": "aws"}}
    targets = {n: AzureTarget(**AZURE, auth="entra", entra=app) for n, app in apps.items()}
    keyless = OpenAITarget(
        provider="openai",
        models=["*"],
        auth="workload_identity",
        workload_identity=openai_auth.settings,
    )
    fetches = token_fetches(
        {"openai": key, "other": key, "keyless": keyless, **targets},
        EntraTokens(transport, vault.secrets, sts.identity.token, vault.time),
        OpenAITokens(transport, sts.identity.token, vault.time),
    )
    return Credentials(vault.secrets, TokenCache(fetches, vault.time))


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
