"""Callers with tokens of an OpenID Connect provider in place of keys, at each URL."""

import openai
import pytest

from tests.support.events import make_response, new_id


@pytest.fixture
def connect(gateway, door):
    """A client of OpenAI's SDK whose key is a token."""

    def connect(token):
        return openai.OpenAI(base_url=gateway.base(door), api_key=token, max_retries=0)

    return connect


def test_a_token_works_like_a_key_of_its_tenant(connect, issuer, provider, gateway):
    id = new_id()
    provider.respond_with_json(make_response(id))
    created = connect(issuer.token(models=["gpt-5*"])).responses.create(model="gpt-5", input="x")
    assert created.id == id
    link = gateway.row(f"T#acme#R#{id}")
    assert link["key_id"].startswith("jwt_")
    with gateway.client() as key_of_the_tenant:
        listed = key_of_the_tenant.get("/responses", params={"limit": 100}).json()["data"]
    assert id in {each["id"] for each in listed}


def test_another_tenant_a_model_and_a_stranger_are_refused(connect, issuer, provider):
    id = new_id()
    provider.respond_with_json(make_response(id))
    connect(issuer.token(models=["gpt-5*"])).responses.create(model="gpt-5", input="x")
    calls = len(provider.received)
    with pytest.raises(openai.NotFoundError):
        connect(issuer.token(tenant="umbra", models=["*"])).responses.retrieve(id)
    with pytest.raises(openai.NotFoundError, match="does not exist or you do not have access"):
        connect(issuer.token(models=["o3"])).responses.create(model="gpt-5", input="x")
    with pytest.raises(openai.AuthenticationError, match="Incorrect token: it has expired"):
        connect(issuer.token(ago=200, models=["*"])).responses.retrieve(id)
    with pytest.raises(openai.AuthenticationError, match="'models' is not a list"):
        connect(issuer.token()).models.list()
    assert len(provider.received) == calls


def test_keys_of_the_issuer_are_used_while_it_does_not_answer(connect, issuer):
    assert connect(issuer.token(models=["*"])).models.list().data
    issuer.is_down = True
    try:
        assert connect(issuer.token(models=["*"], ago=1)).models.list().data
    finally:
        issuer.is_down = False
