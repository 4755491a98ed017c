"""A fake of OpenAI's token endpoint, and of the AWS account whose tokens it trusts.

https://developers.openai.com/api/reference/workload-identity-federation
"""

import itertools
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import jwt

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
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.auth = self
        self.url = f"http://127.0.0.1:{self._server.server_port}/oauth/token"
        threading.Thread(target=self._server.serve_forever, args=(0.01,)).start()

    @property
    def settings(self) -> dict[str, str]:
        """The value of `workload_identity` in gateway.toml."""
        ids = {name: GRANT[name] for name in ("identity_provider_id", "service_account_id")}
        return {**ids, "token_url": self.url}

    def subject_token(self, **claims: Any) -> str:
        """A token as AWS signs it for the function's role."""
        return self.aws.token(**{"sub": ROLE, "aud": AUDIENCE, "tenant": None, **claims})

    def respond(self, path: str, body: dict[str, Any]) -> Answer:
        self.requests.append(body)
        if self.answer is not None:
            return self.answer
        if path != "/oauth/token" or GRANT.items() - body.items() - _ids(body):
            return refuse("invalid_request", "The request is malformed.")
        return self._check(body)

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

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


class _Server(ThreadingHTTPServer):
    auth: FakeOpenAIAuth
    request_queue_size = 256
    block_on_close = False  # a client may leave its connection open a little longer


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server
    timeout = 30

    def do_POST(self) -> None:
        assert self.headers["content-type"] == "application/json"
        received = json.loads(self.rfile.read(int(self.headers["content-length"])))
        status, content = self.server.auth.respond(self.path, received)
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Do not log requests: tests read `requests`."""


@contextmanager
def fake_openai_auth() -> Iterator[FakeOpenAIAuth]:
    fake = FakeOpenAIAuth()
    try:
        yield fake
    finally:
        fake.close()
