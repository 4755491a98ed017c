"""Tokens of Entra ID: how they are requested, and how long they are kept."""

import pytest

from tests.support.concurrency import MANY_THREADS, run_at_once
from tests.support.entra import (
    CLIENT,
    JWT_BEARER,
    SCOPE,
    TENANT,
    read_credential_error,
)
from tests.support.http_server import HttpAnswer


def test_a_secret_is_posted_in_one_form_and_a_token_is_returned(credentials, entra):
    assert credentials.get("azure") == "token-1"
    (request,) = entra.requests
    assert request.path == f"/{TENANT}/oauth2/v2.0/token"
    assert request.headers["content-type"] == "application/x-www-form-urlencoded"
    assert request.form == {
        "grant_type": "client_credentials",
        "client_id": CLIENT,
        "scope": SCOPE,
        "client_secret": "client-secret",
    }


def test_aws_s_token_takes_the_place_of_the_secret(credentials, entra, vault, sts):
    assert credentials.get("by-identity") == "token-1"
    (request,) = entra.requests
    assert request.form == {
        "grant_type": "client_credentials",
        "client_id": CLIENT,
        "scope": SCOPE,
        "client_assertion_type": JWT_BEARER,
        "client_assertion": "signed-by-aws",
    }
    assert [each["Audience.member.1"] for each in sts.requests] == ["api://AzureADTokenExchange"]
    assert vault.request_count == 0


@pytest.mark.parametrize(("life", "good_for"), [(3600, 3300), (1000, 900), (86_400, 86_100)])
def test_a_token_is_cached_until_shortly_before_it_expires(
    credentials, entra, vault, life, good_for
):
    entra.token_seconds = life
    credentials.get("azure")
    vault.time.advance(good_for - 1)
    assert credentials.get("azure") == "token-1"
    vault.time.advance(1)
    assert credentials.get("azure") == "token-2"


def test_many_that_find_no_token_or_an_old_one_ask_once(credentials, entra, vault):
    assert run_at_once(lambda: credentials.get("azure")) == ["token-1"] * MANY_THREADS
    vault.time.advance(3600)
    assert run_at_once(lambda: credentials.get("azure")) == ["token-2"] * MANY_THREADS
    assert len(entra.requests) == 2


def test_many_that_are_refused_with_one_token_ask_for_another_once(credentials, entra):
    token = credentials.get("azure")
    assert run_at_once(lambda: credentials.renew("azure", token)) == ["token-2"] * MANY_THREADS
    assert len(entra.requests) == 2


def test_a_role_that_is_not_there_yet_makes_no_flood_of_tokens(credentials, entra, vault):
    """Azure answers 401 to whoever has a token but no role."""
    tokens = ["token-1"]
    for _ in range(6):
        tokens.append(credentials.renew("azure", credentials.get("azure")))
        vault.time.advance(10)
    assert tokens == ["token-1", "token-2", None, None, "token-3", None, None]
    assert len(entra.requests) == 3


def test_while_entra_fails_a_token_does_until_its_very_end(credentials, entra, vault):
    credentials.get("azure")
    entra.response = HttpAnswer(503, b"")
    vault.time.advance(3598)
    assert credentials.get("azure") == "token-1"
    vault.time.advance(1)
    assert "it answered with status 503" in read_credential_error(credentials)
    entra.response = None
    vault.time.advance(1)
    assert credentials.get("azure") == "token-2"


def test_a_secret_that_was_renewed_is_taken_at_once(credentials, entra, vault):
    credentials.get("azure")
    vault.put("renewed", "azure")
    entra.secrets = {"renewed"}
    vault.time.advance(60)
    assert credentials.renew("azure", "token-1") == "token-2"
    assert [request.form["client_secret"] for request in entra.requests] == [
        "client-secret",
        "client-secret",
        "renewed",
    ]


def test_a_secret_that_entra_does_not_know_yet_gives_way_to_the_one_before(
    credentials, entra, vault
):
    vault.put("too-new", "azure")
    assert credentials.get("azure") == "token-1"
    assert entra.requests[-1].form["client_secret"] == "client-secret"


def test_without_its_secret_entra_gets_no_request(credentials, entra, vault):
    vault.put("replace-me", "azure")
    assert "its secret still has the placeholder value" in read_credential_error(credentials)
    assert entra.requests == []


def test_without_an_identity_entra_gets_no_request(credentials, entra, sts):
    sts.refuse("OutboundWebIdentityFederationDisabledException")
    assert "enable-outbound-web-identity-federation" in read_credential_error(
        credentials, "by-identity"
    )
    assert entra.requests == []
