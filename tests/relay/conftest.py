"""Credentials of four targets: two have a key, one has a client secret, one an identity."""

import pytest

from antiphon.settings.config import AzureTarget, OpenAITarget
from antiphon.upstream.credentials import Credentials
from antiphon.upstream.entra import EntraTokens
from tests.support.aws import FakeSts
from tests.support.aws import fake_secrets as a_vault
from tests.support.entra import fake_entra as an_entra
from tests.support.upstream import plain_client

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
def client():
    with plain_client() as made:
        yield made


@pytest.fixture
def credentials(client, vault, sts, entra):
    key = OpenAITarget(provider="openai", models=["*"])
    apps = {"azure": entra.app, "by-identity": {**entra.app, "identity": "aws"}}
    tokens = EntraTokens(client, vault.secrets, sts.identity.token, vault.time)
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
