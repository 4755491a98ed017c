"""Signed requests of any method beside botocore's, and what is said without credentials."""

from datetime import UTC, datetime

import botocore.auth
import pytest
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.exceptions import CredentialRetrievalError

from antiphon.errors import CredentialMissing
from antiphon.providers.bedrock import canonical_query
from antiphon.store.aws_api import AwsAccess
from antiphon.store.aws_signature import Signer
from antiphon.store.request_signing import RequestSigner

NOW = datetime(2026, 11, 28, 23, 59, 58, tzinfo=UTC)
URL = "https://bedrock-runtime.eu-central-1.amazonaws.com/openai/v1"
QUERY = "include[]=b/c&include%5B%5D=a%20b&stream=true&starting_after=&x=%C3%A9+1&bare&~=%7E,:"


def never(*_):
    raise AssertionError


def signer_with(credentials):
    signer = Signer("bedrock", "eu-central-1", URL, lambda: NOW)
    return RequestSigner("bedrock", signer, AwsAccess("us-east-1", credentials, never))


@pytest.mark.parametrize("token", [None, "a/temporary+token=="])
@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/responses", b'{"model":"a"}'),
        ("GET", f"/responses/resp_1%3A%2F2?{canonical_query(QUERY)}", b""),
        ("DELETE", "/responses/resp_1~.-", b""),
    ],
)
def test_any_method_path_and_query_is_signed_as_botocore_signs_it(
    monkeypatch, token, method, path, body
):
    credentials = Credentials("AKID", "secret+/", token)
    monkeypatch.setattr(botocore.auth, "get_current_datetime", lambda: NOW)
    headers = {
        "content-type": "application/json;  charset=utf-8",
        "accept": "*/*",
        "user-agent": "antiphon",
    }
    signed = signer_with(credentials).sign(method, URL + path, headers, body)
    sent = {name: signed[name] for name in ("content-type", "x-amz-content-sha256")}
    request = AWSRequest(method, URL + path, sent, body)
    botocore.auth.SigV4Auth(credentials, "bedrock", "eu-central-1").add_auth(request)
    expected = {name.lower(): value for name, value in request.headers.items()}
    assert signed.pop("host") == "bedrock-runtime.eu-central-1.amazonaws.com"
    assert signed == expected
    assert signed["content-type"] == "application/json; charset=utf-8"


def test_a_query_is_sent_as_it_is_signed():
    """AWS reads a query and encodes it again: only this form is the same before and after."""
    assert canonical_query(QUERY) == (
        "include%5B%5D=b%2Fc&include%5B%5D=a%20b&stream=true&starting_after=&x=%C3%A9%201&bare="
        "&~=~%2C%3A"
    )


class Renewed:
    """Credentials that AWS renews between two calls, and then does not any more."""

    def __init__(self, *pairs):
        self._pairs = iter(pairs)

    def get_frozen_credentials(self):
        pair = next(self._pairs, None)
        if pair is None:
            raise CredentialRetrievalError(provider="p", error_msg="MARK")
        return pair


def test_each_request_has_the_credentials_of_its_moment():
    signer = signer_with(Renewed(Credentials("one", "1", "t-1"), Credentials("two", "2", "t-2")))
    first, second = (signer.sign("POST", f"{URL}/responses", {}, b"{}") for _ in range(2))
    assert "Credential=one/" in first["authorization"]
    assert ("Credential=two/" in second["authorization"], second["x-amz-security-token"]) == (
        True,
        "t-2",
    )
    with pytest.raises(CredentialMissing, match=r"target 'bedrock' \(CredentialRetrievalError\)"):
        signer.sign("POST", f"{URL}/responses", {}, b"{}")


def test_without_any_credentials_nothing_is_signed():
    with pytest.raises(CredentialMissing, match="NoCredentialsError"):
        signer_with(None).sign("POST", f"{URL}/responses", {}, b"{}")
