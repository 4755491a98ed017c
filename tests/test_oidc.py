"""Tokens of an OpenID Connect provider: what they permit, and what is refused."""

import base64
import json
import time

import jwt
import pytest

from antiphon.auth import Auth, Caller
from antiphon.errors import Unauthenticated, Unavailable
from antiphon.http import Request
from antiphon.oidc import DISCOVERY, PAUSE_SECONDS, STALE_SECONDS, Tokens
from antiphon.settings.config import Jwt
from tests.support.issuer import AUDIENCE, KEYS_PATH, FakeIssuer, SigningKey
from tests.support.keys import KEY, Clock, FakeKeyRows, identify

ISSUER = "https://issuer.example"


@pytest.fixture
def clock():
    """That of the gateway; the library reads the machine's, so tests shift tokens instead."""
    clock = Clock()
    clock.now = time.time()
    return clock


@pytest.fixture
def issuer():
    return FakeIssuer(ISSUER)


@pytest.fixture
def build(issuer, clock):
    def build(**more):
        settings = Jwt(issuer=ISSUER, audience=AUDIENCE, **more)
        return Auth(FakeKeyRows(), 30, clock, Tokens(settings, issuer.fetch, clock))

    return build


def refusal(auth, token):
    with pytest.raises(Unauthenticated) as caught:
        auth.identify(Request("req_1", "GET", headers={"authorization": f"Bearer {token}"}))
    return str(caught.value)


def test_a_caller_has_the_tenant_and_the_models_of_its_token(build, issuer):
    auth = build(tenant_claim="https://acme.example/team", models_claim="models")
    token = issuer.token(models=["gpt-5*", "o3"], **{"https://acme.example/team": "choir"})
    caller = identify(auth, token)
    assert caller == Caller("choir", caller.key_id, ("gpt-5*", "o3"))
    assert caller.key_id.startswith("jwt_")
    again = issuer.token(models="gpt-5* o3", **{"https://acme.example/team": "choir"})
    assert identify(auth, again) == caller


def test_keys_are_accepted_beside_tokens_and_tokens_only_where_an_issuer_is_set(build, issuer):
    assert identify(build(), KEY).tenant == "acme"
    assert identify(Auth(FakeKeyRows(), 30), issuer.token()) is None


def test_any_text_is_a_subject(build, issuer):
    """JSON has lone surrogates, which no encoding has."""
    tokens = [issuer.token(sub=subject) for subject in ("\ud800", "\ud801", "?")]
    assert len({identify(build(), token).key_id for token in tokens}) == 3


def test_an_issuer_with_a_slash_at_its_end_is_the_same(build, issuer):
    issuer.documents[DISCOVERY]["issuer"] = f"{ISSUER}/"
    assert identify(build(), issuer.token(iss=f"{ISSUER}/")).tenant == "acme"


def unsigned(issuer):
    header, payload = (
        base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode()
        for part in (
            {"alg": "none", "kid": issuer.key.id},
            {"tenant": "acme", "exp": time.time() + 60},
        )
    )
    return f"{header}.{payload}.AA"


def with_other_signature(issuer):
    return issuer.token().rpartition(".")[0] + "." + issuer.token(ago=1).rpartition(".")[2]


def symmetric(issuer):
    """With a shared secret, which no issuer publishes."""
    claims = {"tenant": "acme", "exp": time.time() + 60}
    return jwt.encode(claims, "secret" * 8, "HS256", {"kid": issuer.key.id})


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda it: it.token(ago=200), "it has expired"),
        (lambda it: it.token(nbf=time.time() + 100), "it is not valid yet"),
        (lambda it: it.token(aud="https://other.example"), "its audience is another one"),
        (lambda it: it.token(iss="https://other.example"), "its issuer is another one"),
        (lambda it: it.token(exp=None), "it is malformed"),
        (lambda it: it.token(sub=None), "it is malformed"),
        (lambda it: it.token(aud=None), "it is malformed"),
        (lambda it: it.token(tenant=None), "its claim 'tenant' is not the name of a tenant"),
        (lambda it: it.token(tenant="a#b"), "its claim 'tenant' is not the name of a tenant"),
        (lambda it: it.token(tenant=["acme"]), "its claim 'tenant' is not the name of a tenant"),
        (lambda it: it.token(key=SigningKey("stranger")), "its issuer has no such signing key"),
        (lambda it: it.token(key=SigningKey("first")), "its signature is wrong"),
        (with_other_signature, "its signature is wrong"),
        (unsigned, "its algorithm is not that of the key"),
        (symmetric, "its algorithm is not that of the key"),
        (lambda _: "eyJ.AA.AA", "it is malformed"),
    ],
)
def test_a_token_that_does_not_fit_is_refused_with_its_reason(build, issuer, make, reason):
    assert refusal(build(), make(issuer)) == f"Incorrect token: {reason}."


@pytest.mark.parametrize("models", [None, 7, [7], ["a b"], ["x"] * 101])
def test_a_token_without_its_list_of_models_is_refused(build, issuer, models):
    token = issuer.token(models=models)
    assert "'models' is not a list of models" in refusal(build(models_claim="models"), token)


def test_a_valid_token_is_the_occasion_to_read_the_circuits(issuer, clock):
    reads = []
    settings = Jwt(issuer=ISSUER, audience=AUDIENCE)
    tokens = Tokens(settings, issuer.fetch, clock, on_valid=lambda: reads.append(1))
    auth = Auth(FakeKeyRows(), 30, clock, tokens)
    assert "expired" in refusal(auth, issuer.token(ago=200))
    assert reads == []
    token = issuer.token()
    assert identify(auth, token) == identify(auth, token)
    assert reads == [1]


def test_an_end_that_is_written_as_text_is_read_as_the_library_reads_it(build, issuer):
    assert identify(build(), issuer.token(exp=str(int(time.time()) + 60)))


def test_clocks_may_differ_by_the_leeway(build, issuer):
    token = issuer.token(ago=100)  # it ended forty seconds ago
    assert identify(build(), token)
    assert "expired" in refusal(build(leeway_seconds=0), token)


def test_a_token_ends_though_it_is_cached(build, issuer, clock):
    auth, token = build(leeway_seconds=0), issuer.token()
    assert identify(auth, token)
    clock.now += 60
    assert identify(auth, token) is None


def test_keys_are_read_once_and_again_when_the_issuer_rotates_them(build, issuer, clock):
    auth = build()
    for second in range(3):
        assert identify(auth, issuer.token(ago=second))
    assert issuer.requests == [DISCOVERY, KEYS_PATH]
    issuer.rotate()
    assert "no such signing key" in refusal(auth, issuer.token())  # not yet: see below
    clock.now += PAUSE_SECONDS
    assert identify(auth, issuer.token())


def test_unknown_keys_cause_one_request_in_a_while(build, issuer):
    auth = build(jwks_url=f"{ISSUER}{KEYS_PATH}")
    for number in range(20):
        refusal(auth, issuer.token(key=SigningKey(f"random-{number}")))
    assert issuer.requests == [KEYS_PATH]


def test_a_token_without_the_id_of_its_key_means_the_only_one(build, issuer):
    token = jwt.encode(
        jwt.decode(issuer.token(), options={"verify_signature": False}), issuer.key.private, "ES256"
    )
    assert identify(build(), token)
    issuer.publish(issuer.key, SigningKey("second"))
    assert "no such signing key" in refusal(build(), token)


def test_keys_that_were_read_are_used_for_a_day_while_the_issuer_does_not_answer(
    build, issuer, clock
):
    auth = build()
    assert identify(auth, issuer.token())
    issuer.is_down = True
    clock.now += STALE_SECONDS - 1
    assert identify(auth, issuer.token(exp=clock.now + 60))
    clock.now += PAUSE_SECONDS
    with pytest.raises(Unavailable, match="signing keys"):
        identify(auth, issuer.token(exp=clock.now + 60))


@pytest.mark.parametrize(
    "document",
    [
        {"issuer": "https://other.example", "jwks_uri": ISSUER},
        {"issuer": ISSUER, "jwks_uri": "http://plain.example/keys"},
        {"issuer": ISSUER},
        [],
    ],
)
def test_a_discovery_document_of_another_issuer_is_not_used(build, issuer, document):
    issuer.documents[DISCOVERY] = document
    with pytest.raises(Unavailable):
        identify(build(), issuer.token())


@pytest.mark.parametrize("keys", [[], [{"kty": "oct", "k": "AAAA", "kid": "first"}], "no list"])
def test_without_a_public_key_there_is_none(build, issuer, keys):
    issuer.documents[KEYS_PATH] = {"keys": keys}
    with pytest.raises(Unavailable):
        identify(build(), issuer.token())
