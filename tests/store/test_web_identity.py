"""Tokens of the function's own AWS identity."""

import pytest
from botocore.exceptions import EndpointConnectionError

from antiphon.errors import CredentialMissing
from tests.support.aws import FakeSts
from tests.support.metrics import format_log

AUDIENCE = "api://AzureADTokenExchange"


@pytest.fixture
def sts():
    return FakeSts()


def test_a_token_is_for_one_audience_and_short_lived_and_signed_with_rs256(sts):
    assert sts.identity.token(AUDIENCE) == "signed-by-aws"
    (request,) = sts.requests
    assert request == {
        "Action": "GetWebIdentityToken",
        "Version": "2011-06-15",
        "Audience.member.1": AUDIENCE,
        "SigningAlgorithm": "RS256",
        "DurationSeconds": "300",
    }


@pytest.mark.parametrize("region", ["eu-central-1", "us-east-1"])
def test_tokens_come_from_the_regional_endpoint(region):
    sts = FakeSts(region)
    sts.identity.token(AUDIENCE)
    assert sts.urls == [f"https://sts.{region}.amazonaws.com/"]


def test_the_client_is_created_once_for_the_first_token(sts):
    assert sts.client_count == 0
    for _ in range(2):
        sts.identity.token(AUDIENCE)
    assert sts.client_count == 1


@pytest.mark.parametrize(
    ("code", "advice"),
    [
        (
            "OutboundWebIdentityFederationDisabledException",
            "aws iam enable-outbound-web-identity-federation",
        ),
        (
            "OutboundWebIdentityFederationDisabled",
            "aws iam enable-outbound-web-identity-federation",
        ),
        ("AccessDenied", "its role may not call sts:GetWebIdentityToken"),
        ("InvalidAction", "unset AWS_STS_REGIONAL_ENDPOINTS"),
        ("SessionDurationEscalationException", "SessionDurationEscalationException"),
    ],
)
def test_the_error_names_what_the_operator_must_do(sts, caplog, code, advice):
    sts.refuse(code)
    with pytest.raises(CredentialMissing) as caught:
        sts.identity.token(AUDIENCE)
    assert advice in str(caught.value)
    assert advice in format_log(caplog)
    assert "MARK" not in str(caught.value) + format_log(caplog)


def test_an_sts_that_does_not_answer_is_a_missing_credential(sts):
    def lost(request):
        raise EndpointConnectionError(endpoint_url=request.url)

    sts.failure = lost
    with pytest.raises(CredentialMissing, match="EndpointConnectionError"):
        sts.identity.token(AUDIENCE)
