"""What Entra ID may answer, and what of it is believed, reported and logged."""

import traceback

import httpx
import pytest

from antiphon.errors import CredentialMissing
from antiphon.settings.targets import Entra as EntraApp
from antiphon.upstream.entra import EntraTokens
from antiphon.upstream.tokens import Token
from tests.support.entra import make_refusal, read_credential_error
from tests.support.http_server import HttpAnswer
from tests.support.metrics import format_log

GOOD = {"token_type": "Bearer", "expires_in": 3599, "access_token": "a.b-c"}


@pytest.mark.parametrize(
    ("error", "number", "reason"),
    [
        ("invalid_client", 7000215, "the client secret is wrong"),
        ("invalid_client", 7000222, "the client secret has expired"),
        ("unauthorized_client", 700016, "the tenant has no application with this client_id"),
        ("invalid_request", 90002, "there is no tenant with this tenant_id"),
        ("invalid_request", 70021, "no federated credential of the application fits"),
        ("invalid_client", 700213, "no federated credential .* the subject differs"),
        ("invalid_scope", 70011, "the scope is wrong"),
        ("temporarily_unavailable", 90033, "it refuses the request"),
    ],
)
def test_a_refusal_says_what_is_to_be_put_right_by_its_codes_alone(
    credentials, entra, caplog, error, number, reason
):
    entra.response = make_refusal(error, number, "MARK")
    for target in ("azure", "by-identity"):
        message = read_credential_error(credentials, target)
        assert f"({error}, AADSTS{number})" in message
        with pytest.raises(CredentialMissing, match=reason):
            credentials.get(target)
    assert f"AADSTS{number}" in format_log(caplog)
    assert "MARK" not in message + format_log(caplog)


GOOD = {"token_type": "Bearer", "expires_in": 3599, "access_token": "a.b-c"}


@pytest.mark.parametrize(
    "answer",
    [
        HttpAnswer.of_json(200, **{**GOOD, "token_type": "pop"}),
        HttpAnswer.of_json(200, **{**GOOD, "expires_in": "3599"}),
        HttpAnswer.of_json(200, **{**GOOD, "expires_in": 0}),
        HttpAnswer.of_json(200, **{**GOOD, "expires_in": True}),
        HttpAnswer.of_json(200, **{**GOOD, "access_token": "MARK\r\nx: y"}),
        HttpAnswer.of_json(200, **{**GOOD, "access_token": "MARK two"}),
        HttpAnswer.of_json(200, **{**GOOD, "access_token": ""}),
        HttpAnswer.of_json(200, access_token="MARK"),
        HttpAnswer(200, b'["MARK"]'),
        HttpAnswer(200, b"<html>MARK</html>"),
        HttpAnswer(200, b""),
        HttpAnswer(200, b"\xff"),
    ],
    ids=lambda answer: answer.body.decode(errors="replace")[-60:],
)
def test_what_is_no_token_is_not_sent_on(credentials, entra, caplog, answer):
    entra.response = answer
    with pytest.raises(CredentialMissing, match="its answer is not a token") as raised:
        credentials.get("azure")
    traced = "".join(traceback.format_exception(raised.value))
    assert "MARK" not in traced + format_log(caplog)


def test_how_the_type_is_written_does_not_matter(credentials, entra):
    entra.response = HttpAnswer.of_json(
        200, **{**GOOD, "token_type": "bearer", "ext_expires_in": 3599}
    )
    assert credentials.get("azure") == "a.b-c"


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_is_not_followed(credentials, entra, status):
    entra.response = HttpAnswer(status, b"", {"location": f"{entra.authority}/elsewhere"})
    assert f"it answered with status {status}" in read_credential_error(credentials)
    assert len(entra.requests) == 1


def test_an_answer_without_end_is_not_waited_for(credentials, entra):
    entra.response = HttpAnswer(200, b" " * 70_000)
    assert "it did not answer (ReadTimeout)" in read_credential_error(credentials)


def test_an_answer_that_drips_is_not_waited_for(credentials, entra, vault):
    vault.time.step = 6
    entra.response = HttpAnswer(200, b" " * 60_000)
    assert "it did not answer (ReadTimeout)" in read_credential_error(credentials)


def test_an_entra_out_of_reach_leaves_no_credential(credentials, entra):
    entra.close()
    assert "it did not answer (ConnectError)" in read_credential_error(credentials)


def test_its_time_is_limited(vault, sts, entra, transport):
    """By its own timeouts, whatever those for providers are."""
    limits = []

    class RecordingTransport(httpx.BaseTransport):
        def handle_request(self, request):
            limits.append(request.extensions["timeout"])
            return transport.handle_request(request)

    tokens = EntraTokens(RecordingTransport(), vault.secrets, sts.identity.token, vault.time)
    assert tokens.fetch("azure", EntraApp(**entra.app)).access_token == entra.token(1)
    assert limits == [{"connect": 2.0, "write": 5.0, "read": 5.0, "pool": 2.0}]


def test_no_credential_is_logged_or_returned(credentials, entra, vault, caplog, sts):
    caplog.set_level("DEBUG")
    vault.put("MARK-secret", "azure")
    sts.token = "MARK-assertion"
    entra.secrets, entra.assertions = {"MARK-secret"}, {"MARK-assertion"}
    entra.granted = lambda number: f"MARK-{number}"
    for target in ("azure", "by-identity"):
        token = credentials.get(target)
        assert credentials.renew(target, token) != token
        assert "MARK" not in repr(credentials._others[target]._caches[target]._credential)
    entra.secrets = set()
    vault.time.advance(4000)
    read_credential_error(credentials)
    ours = [record for record in caplog.records if record.name == "antiphon"]
    assert len(ours) == 4
    caplog.handler.records[:] = ours  # what botocore says for itself at DEBUG
    token = Token(token_type="Bearer", access_token="MARK", expires_in=1)
    assert "MARK" not in format_log(caplog) + repr(token)
