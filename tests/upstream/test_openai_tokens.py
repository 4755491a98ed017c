"""OpenAI's tokens for the function's AWS identity: requested, kept, refused, explained."""

import pytest
from openai.auth._workload import WorkloadIdentityAuth

from antiphon.upstream.openai_tokens import read_claims
from tests.support.concurrency import MANY_THREADS, run_at_once
from tests.support.entra import read_credential_error
from tests.support.metrics import format_log
from tests.support.openai_auth import AUDIENCE, GRANT, ISSUER, ROLE, refuse

OTHER_ROLE = ROLE.replace("api", "other")


@pytest.fixture(autouse=True)
def _aws(sts, openai_auth):
    sts.token = openai_auth.subject_token()


def test_the_exchange_is_the_one_of_openai_s_own_sdk(credentials, openai_auth, sts, vault):
    assert credentials.get("keyless") == "openai-token-1"
    identity = {name: GRANT[name] for name in ("identity_provider_id", "service_account_id")}
    provider = {"token_type": "jwt", "get_token": lambda: sts.token}
    auth = WorkloadIdentityAuth(
        workload_identity={**identity, "provider": provider}, token_exchange_url=openai_auth.url
    )
    assert auth.get_token() == "openai-token-2"
    ours, theirs = openai_auth.requests
    assert ours == theirs == {**GRANT, "subject_token": sts.token}
    assert [each["Audience.member.1"] for each in sts.requests] == [AUDIENCE]
    assert vault.request_count == 0


def test_a_token_is_cached_until_shortly_before_it_expires(credentials, openai_auth, vault):
    credentials.get("keyless")
    vault.time.advance(269)
    assert credentials.get("keyless") == "openai-token-1"
    vault.time.advance(1)
    assert run_at_once(lambda: credentials.get("keyless")) == ["openai-token-2"] * MANY_THREADS
    assert len(openai_auth.requests) == 2


def test_a_token_that_openai_does_not_take_is_replaced_once(credentials, openai_auth):
    token = credentials.get("keyless")
    renewed = run_at_once(lambda: credentials.renew("keyless", token))
    assert renewed == ["openai-token-2"] * MANY_THREADS
    assert len(openai_auth.requests) == 2


@pytest.mark.parametrize(
    ("claims", "reason"),
    [
        ({"iss": "https://2222.tokens.sts.global.api.aws"}, "the issuer differs"),
        ({"aud": "https://api.example.com"}, "the audience differs"),
        ({"sub": OTHER_ROLE}, "no service account mapping fits the role"),
        ({"exp": 1}, "the AWS token had expired"),
    ],
)
def test_the_error_says_which_part_of_the_aws_token_does_not_fit(
    credentials, openai_auth, sts, caplog, claims, reason
):
    sts.token = openai_auth.subject_token(**claims)
    message = read_credential_error(credentials, "keyless")
    assert f"OpenAI gives no token for the gateway's target 'keyless': {reason}" in message
    log = format_log(caplog)
    found = {"iss": ISSUER, "sub": ROLE, "aud": AUDIENCE} | claims
    assert all(str(found[name]) in log for name in ("iss", "sub", "aud"))
    assert sts.token not in message + log
    assert ROLE not in message


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (refuse("invalid_client", "Unknown identity provider: MARK"), "no identity provider with"),
        (refuse("invalid_grant", "Bad signature: MARK"), "signature was not accepted"),
        (refuse("invalid_grant", "The subject does not match: MARK"), "the subject differs"),
        (refuse("invalid_grant", "MARK"), "compare issuer, subject and audience"),
        ((401, {"error": {"message": "MARK"}}), "it answered with status 401"),
        ((200, {"access_token": "MARK"}), "its answer is not a token"),
    ],
)
def test_what_openai_says_is_neither_logged_nor_returned(
    credentials, openai_auth, caplog, answer, reason
):
    openai_auth.answer = answer
    message = read_credential_error(credentials, "keyless")
    assert reason in message
    assert "MARK" not in message + format_log(caplog)


def test_without_permission_of_sts_openai_gets_no_request(credentials, openai_auth, sts):
    sts.refuse("AccessDenied")
    message = read_credential_error(credentials, "keyless")
    assert "its role may not call sts:GetWebIdentityToken" in message
    assert openai_auth.requests == []


@pytest.mark.parametrize("token", ["", "a.b", "a.e30.c", "a.bnVsbA.c", "a.W10.c", "a.\u00e9.c"])
def test_what_is_no_jwt_has_no_claims(token):
    assert read_claims(token) == {}
