"""The function's own identity, attested by AWS."""

import pytest
from botocore.exceptions import EndpointConnectionError

from antiphon.errors import CredentialMissing
from tests.support.aws import FakeSts
from tests.support.metrics import format_log

AUDIENCE = "api://AzureADTokenExchange"


@pytest.fixture
def sts():
    return FakeSts()


def test_a_token_is_for_one_audience_and_for_minutes_and_signed_as_entra_takes_it(sts):
    assert sts.identity.token(AUDIENCE) == "signed-by-aws"
    (asked,) = sts.requests
    assert asked == {
        "Action": "GetWebIdentityToken",
        "Version": "2011-06-15",
        "Audience.member.1": AUDIENCE,
        "SigningAlgorithm": "RS256",
        "DurationSeconds": "300",
    }


@pytest.mark.parametrize("region", ["eu-central-1", "us-east-1"])
def test_it_is_asked_for_in_the_function_s_region_for_the_global_endpoint_gives_none(region):
    sts = FakeSts(region)
    sts.identity.token(AUDIENCE)
    assert sts.urls == [f"https://sts.{region}.amazonaws.com/"]


def test_a_client_is_made_for_the_first_token_and_kept(sts):
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
def test_an_operator_is_told_what_to_do(sts, caplog, code, advice):
    sts.refuse(code)
    with pytest.raises(CredentialMissing) as told:
        sts.identity.token(AUDIENCE)
    assert advice in str(told.value)
    assert advice in format_log(caplog)
    assert "MARK" not in str(told.value) + format_log(caplog)


def test_an_sts_that_is_out_of_reach_leaves_no_credential(sts):
    def lost(request):
        raise EndpointConnectionError(endpoint_url=request.url)

    sts.failure = lost
    with pytest.raises(CredentialMissing, match="EndpointConnectionError"):
        sts.identity.token(AUDIENCE)
