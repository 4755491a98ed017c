"""Tokens of Entra ID: how they are asked for, how long they are kept, and what may go wrong."""

import httpx
import pytest

from antiphon.errors import CredentialMissing
from antiphon.relay.credentials import Credentials
from antiphon.relay.entra import EntraTokens
from antiphon.settings.targets import AzureTarget
from tests.support.entra import CLIENT, JWT_BEARER, SCOPE, TENANT, Answer, refusal
from tests.support.entra import entra as an_entra
from tests.support.log import written
from tests.support.sts import STS
from tests.support.vault import vault as a_vault
from tests.support.waiting import MANY, race

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
    return STS()


@pytest.fixture
def client():
    with httpx.Client(trust_env=False) as made:
        yield made


@pytest.fixture
def credentials(client, vault, sts, entra):
    """Of two targets: `azure` has a client secret, `by-identity` has none."""
    apps = {"azure": entra.app, "by-identity": {**entra.app, "identity": "aws"}}
    targets = {n: AzureTarget(**AZURE, auth="entra", entra=app) for n, app in apps.items()}
    tokens = EntraTokens(client, vault.secrets, sts.identity.token, vault.time)
    return Credentials(targets, vault.secrets, tokens)


def missing(credentials, target="azure"):
    """What is said where there is no token."""
    with pytest.raises(CredentialMissing) as told:
        credentials.get(target)
    assert told.value.status == 503
    return str(told.value)


def test_a_secret_is_shown_in_one_form_and_a_token_is_got(credentials, entra):
    assert credentials.get("azure") == "token-1"
    (asked,) = entra.asked
    assert asked.path == f"/{TENANT}/oauth2/v2.0/token"
    assert asked.headers["content-type"] == "application/x-www-form-urlencoded"
    assert asked.form == {
        "grant_type": "client_credentials",
        "client_id": CLIENT,
        "scope": SCOPE,
        "client_secret": "client-secret",
    }


def test_aws_s_token_takes_the_place_of_the_secret(credentials, entra, vault, sts):
    assert credentials.get("by-identity") == "token-1"
    (asked,) = entra.asked
    assert asked.form == {
        "grant_type": "client_credentials",
        "client_id": CLIENT,
        "scope": SCOPE,
        "client_assertion_type": JWT_BEARER,
        "client_assertion": "signed-by-aws",
    }
    assert [each["Audience.member.1"] for each in sts.asked] == ["api://AzureADTokenExchange"]
    assert vault.asked == 0


@pytest.mark.parametrize(("life", "good_for"), [(3600, 3300), (1000, 900), (86_400, 86_100)])
def test_a_token_is_kept_until_shortly_before_its_end(credentials, entra, vault, life, good_for):
    entra.life = life
    credentials.get("azure")
    vault.time.passes(good_for - 1)
    assert credentials.get("azure") == "token-1"
    vault.time.passes(1)
    assert credentials.get("azure") == "token-2"


def test_many_that_find_no_token_or_an_old_one_ask_once(credentials, entra, vault):
    assert race(lambda: credentials.get("azure")) == ["token-1"] * MANY
    vault.time.passes(3600)
    assert race(lambda: credentials.get("azure")) == ["token-2"] * MANY
    assert len(entra.asked) == 2


def test_many_that_are_refused_with_one_token_ask_for_another_once(credentials, entra):
    token = credentials.get("azure")
    assert race(lambda: credentials.renew("azure", token)) == ["token-2"] * MANY
    assert len(entra.asked) == 2


def test_a_role_that_is_not_there_yet_makes_no_flood_of_tokens(credentials, entra, vault):
    """Azure answers 401 to whoever has a token but no role."""
    tokens = ["token-1"]
    for _ in range(6):
        tokens.append(credentials.renew("azure", credentials.get("azure")))
        vault.time.passes(10)
    assert tokens == ["token-1", "token-2", None, None, "token-3", None, None]
    assert len(entra.asked) == 3


def test_while_entra_fails_a_token_does_until_its_very_end(credentials, entra, vault):
    credentials.get("azure")
    entra.answer = Answer(503, b"")
    vault.time.passes(3598)
    assert credentials.get("azure") == "token-1"
    vault.time.passes(1)
    assert "it answered with status 503" in missing(credentials)
    entra.answer = None
    vault.time.passes(1)
    assert credentials.get("azure") == "token-2"


def test_a_secret_that_was_renewed_is_taken_at_once(credentials, entra, vault):
    credentials.get("azure")
    vault.put("renewed", "azure")
    entra.secrets = {"renewed"}
    vault.time.passes(60)
    assert credentials.renew("azure", "token-1") == "token-2"
    assert [asked.form["client_secret"] for asked in entra.asked] == [
        "client-secret",
        "client-secret",
        "renewed",
    ]


def test_a_secret_that_entra_does_not_know_yet_gives_way_to_the_one_before(
    credentials, entra, vault
):
    vault.put("too-new", "azure")
    assert credentials.get("azure") == "token-1"
    assert entra.asked[-1].form["client_secret"] == "client-secret"


def test_without_its_secret_entra_is_not_asked(credentials, entra, vault):
    vault.put("replace-me", "azure")
    assert "nobody has put one into its secret" in missing(credentials)
    assert entra.asked == []


def test_without_an_identity_entra_is_not_asked(credentials, entra, sts):
    sts.refuses("OutboundWebIdentityFederationDisabledException")
    assert "enable-outbound-web-identity-federation" in missing(credentials, "by-identity")
    assert entra.asked == []


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
    entra.answer = refusal(error, number, "MARK")
    for target in ("azure", "by-identity"):
        told = missing(credentials, target)
        assert f"({error}, AADSTS{number})" in told
        with pytest.raises(CredentialMissing, match=reason):
            credentials.get(target)
    assert f"AADSTS{number}" in written(caplog)
    assert "MARK" not in told + written(caplog)


GOOD = {"token_type": "Bearer", "expires_in": 3599, "access_token": "a.b-c"}


@pytest.mark.parametrize(
    "answer",
    [
        Answer.of(200, **{**GOOD, "token_type": "pop"}),
        Answer.of(200, **{**GOOD, "expires_in": "3599"}),
        Answer.of(200, **{**GOOD, "expires_in": 0}),
        Answer.of(200, **{**GOOD, "expires_in": True}),
        Answer.of(200, **{**GOOD, "access_token": "MARK\r\nx: y"}),
        Answer.of(200, **{**GOOD, "access_token": "MARK two"}),
        Answer.of(200, **{**GOOD, "access_token": ""}),
        Answer.of(200, access_token="MARK"),
        Answer(200, b'["MARK"]'),
        Answer(200, b"<html>MARK</html>"),
        Answer(200, b""),
        Answer(200, b"\xff"),
    ],
    ids=lambda answer: answer.body.decode(errors="replace")[-60:],
)
def test_what_is_no_token_is_not_sent_on(credentials, entra, caplog, answer):
    entra.answer = answer
    assert "its answer is no token" in missing(credentials)
    assert "MARK" not in written(caplog)


def test_how_the_type_is_written_does_not_matter(credentials, entra):
    entra.answer = Answer.of(200, **{**GOOD, "token_type": "bearer", "ext_expires_in": 3599})
    assert credentials.get("azure") == "a.b-c"


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_is_not_followed(credentials, entra, status):
    entra.answer = Answer(status, b"", {"location": f"{entra.authority}/elsewhere"})
    assert f"it answered with status {status}" in missing(credentials)
    assert len(entra.asked) == 1


def test_an_answer_without_end_is_not_waited_for(credentials, entra):
    entra.answer = Answer(200, b" " * 70_000)
    assert "it did not answer (ReadTimeout)" in missing(credentials)


def test_an_answer_that_drips_is_not_waited_for(credentials, entra, vault):
    vault.time.pace = 6
    entra.answer = Answer(200, b" " * 60_000)
    assert "it did not answer (ReadTimeout)" in missing(credentials)


def test_an_entra_out_of_reach_leaves_no_credential(credentials, entra):
    entra.close()
    assert "it did not answer (ConnectError)" in missing(credentials)


def test_its_time_is_limited(credentials, client):
    """By ours, whatever the client's own patience with providers is."""
    limits = []
    client.event_hooks = {"request": [lambda call: limits.append(call.extensions["timeout"])]}
    credentials.get("azure")
    assert limits == [{"connect": 2, "read": 5.0, "write": 5.0, "pool": 5.0}]


def test_nothing_that_lets_us_in_is_logged_or_shown(credentials, entra, vault, caplog, sts):
    caplog.set_level("DEBUG")
    vault.put("MARK-secret", "azure")
    sts.token = "MARK-assertion"
    entra.secrets, entra.assertions = {"MARK-secret"}, {"MARK-assertion"}
    entra.granted = lambda number: f"MARK-{number}"
    for target in ("azure", "by-identity"):
        token = credentials.get(target)
        assert credentials.renew(target, token) != token
        assert "MARK" not in repr(credentials._entra._all[target]._found)
    entra.secrets = set()
    vault.time.passes(4000)
    missing(credentials)
    ours = [record for record in caplog.records if record.name == "antiphon"]
    assert len(ours) == 4
    caplog.handler.records[:] = ours  # what httpx and botocore say for themselves at DEBUG
    assert "MARK" not in written(caplog)
