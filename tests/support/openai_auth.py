"""A fake of OpenAI's token endpoint, and of the AWS account whose tokens it trusts.

https://developers.openai.com/api/reference/workload-identity-federation
"""

import itertools
import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import jwt

from tests.support.http_server import HttpAnswer, HttpRequest, serve_http
from tests.support.issuer import FakeIssuer

ISSUER = "https://1111.tokens.sts.global.api.aws"
ROLE = "arn:aws:iam::123456789012:role/antiphon-api"
AUDIENCE = "https://api.openai.com/v1"
GRANT = {
    "grant_type": "urn:ietf:params:oauth:grant-type:token-exchange",
    "subject_token_type": "urn:ietf:params:oauth:token-type:jwt",
    "identity_provider_id": "idp_1",
    "service_account_id": "user-1",
}

type Answer = tuple[int, dict[str, Any]]


class FakeOpenAIAuth:
    """Knows one identity provider, with a mapping of one role to one service account."""

    def __init__(self) -> None:
        self.aws = FakeIssuer(ISSUER)
        self.requests: list[dict[str, Any]] = []
        self.answer: Answer | None = None  # to every request, where a test sets it
        self.token_seconds = 300
        self._numbers = itertools.count(1)
        self.url = ""

    @property
    def settings(self) -> dict[str, str]:
        """The value of `workload_identity` in gateway.toml."""
        ids = {name: GRANT[name] for name in ("identity_provider_id", "service_account_id")}
        return {**ids, "token_url": self.url}

    def subject_token(self, **claims: Any) -> str:
        """A token as AWS signs it for the function's role."""
        return self.aws.token(**{"sub": ROLE, "aud": AUDIENCE, "tenant": None, **claims})

    def serve(self, request: HttpRequest) -> HttpAnswer:
        assert request.headers["content-type"] == "application/json"
        status, content = self.respond(request.path, json.loads(request.body))
        return HttpAnswer.of_json(status, **content)

    def respond(self, path: str, body: dict[str, Any]) -> Answer:
        self.requests.append(body)
        if self.answer is not None:
            return self.answer
        if path != "/oauth/token" or GRANT.items() - body.items() - _ids(body):
            return refuse("invalid_request", "The request is malformed.")
        return self._check(body)

    def _check(self, body: dict[str, Any]) -> Answer:
        if body["identity_provider_id"] != GRANT["identity_provider_id"]:
            return refuse("invalid_client", "Unknown identity provider.")
        key = self.aws.key.private.public_key()
        try:
            claims = jwt.decode(
                body["subject_token"], key, ["ES256"], audience=AUDIENCE, issuer=ISSUER
            )
        except jwt.InvalidTokenError as exc:
            return refuse("invalid_grant", f"{exc}: {body['subject_token']}")
        is_mapped = claims["sub"] == ROLE
        if not is_mapped or body["service_account_id"] != GRANT["service_account_id"]:
            return refuse("invalid_grant", f"No service account mapping for {claims['sub']}.")
        return 200, {
            "access_token": f"openai-token-{next(self._numbers)}",
            "issued_token_type": "urn:ietf:params:oauth:token-type:access_token",
            "token_type": "Bearer",
            "expires_in": self.token_seconds,
        }


def refuse(error: str, description: str) -> Answer:
    return (401 if error == "invalid_client" else 400), {
        "error": error,
        "error_description": description,
    }


def _ids(body: dict[str, Any]) -> set[tuple[str, str]]:
    """The ids as they must be in any request; whether they are known is checked later."""
    names = ("identity_provider_id", "service_account_id")
    return {(name, GRANT[name]) for name in names if isinstance(body.get(name), str)}


@contextmanager
def fake_openai_auth() -> Iterator[FakeOpenAIAuth]:
    fake = FakeOpenAIAuth()
    with serve_http(fake.serve) as address:
        fake.url = f"{address}/oauth/token"
        yield fake
