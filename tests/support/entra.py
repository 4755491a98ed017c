"""A fake of Microsoft Entra ID's token endpoint."""

import itertools
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl

import pytest

from antiphon.errors import CredentialMissing
from antiphon.upstream.credentials import Credentials

TENANT, CLIENT = "acme.example", "11111111-2222-3333-4444-555555555555"
SCOPE = "https://cognitiveservices.azure.com/.default"
TOKEN_SECONDS = 3599
JWT_BEARER = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


@dataclass(frozen=True)
class TokenRequest:
    path: str
    headers: dict[str, str]
    form: dict[str, str]


@dataclass(frozen=True)
class TokenResponse:
    status: int
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, status: int, **content: Any) -> "TokenResponse":
        return cls(status, json.dumps(content).encode(), {"content-type": "application/json"})


class FakeEntra:
    """Knows one application, by its secrets and the assertions that it trusts."""

    def __init__(self) -> None:
        self.secrets = {"client-secret"}
        self.assertions = {"signed-by-aws"}
        self.token_seconds = TOKEN_SECONDS
        self.requests: list[TokenRequest] = []
        self.response: TokenResponse | None = None  # to every request, where a test sets it
        self._numbers = itertools.count(1)
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.entra = self
        self.authority = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, args=(0.01,)).start()

    @property
    def app(self) -> dict[str, str]:
        """The value of `entra` in gateway.toml."""
        return {"tenant_id": TENANT, "client_id": CLIENT, "authority": self.authority}

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def token(self, number: int) -> str:
        return f"token-{number}"

    def respond(self, request: TokenRequest) -> TokenResponse:
        self.requests.append(request)
        return self.response or self._check(request)

    def _check(self, request: TokenRequest) -> TokenResponse:
        form = request.form
        if request.path != f"/{TENANT}/oauth2/v2.0/token":
            return make_refusal("invalid_request", 90002)
        if form.get("client_id") != CLIENT:
            return make_refusal("unauthorized_client", 700016)
        if (form.get("grant_type"), form.get("scope")) != ("client_credentials", SCOPE):
            return make_refusal("invalid_scope", 70011)
        if "client_assertion" in form and form.get("client_assertion_type") == JWT_BEARER:
            is_valid, number = form["client_assertion"] in self.assertions, 700213
        else:
            is_valid, number = form.get("client_secret") in self.secrets, 7000215
        return self._grant() if is_valid else make_refusal("invalid_client", number, form)

    def _grant(self) -> TokenResponse:
        token = self.token(next(self._numbers))
        return TokenResponse.of(
            200, token_type="Bearer", expires_in=self.token_seconds, access_token=token
        )


def make_refusal(error: str, number: int, detail: object = "") -> TokenResponse:
    """An error in Entra's form: its description repeats what the client sent."""
    description = f"AADSTS{number}: No. {detail}\r\nTrace ID: 0000\r\nCorrelation ID: 1111"
    return TokenResponse.of(400, error=error, error_description=description, error_codes=[number])


class _Server(ThreadingHTTPServer):
    entra: FakeEntra
    request_queue_size = 256
    block_on_close = False  # a client may leave its connection open a little longer


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server
    timeout = 30

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        headers = {name.lower(): value for name, value in self.headers.items()}
        form = dict(parse_qsl(body.decode(), keep_blank_values=True))
        response = self.server.entra.respond(TokenRequest(self.path, headers, form))
        self.send_response(response.status)
        for name, value in response.headers.items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(response.body)))
        self.end_headers()
        self.wfile.write(response.body)

    def log_message(self, *_: object) -> None:
        """Do not log requests: tests read `requests`."""


@contextmanager
def fake_entra() -> Iterator[FakeEntra]:
    fake = FakeEntra()
    try:
        yield fake
    finally:
        fake.close()


def read_credential_error(credentials: Credentials, target: str = "azure") -> str:
    """The message of the error that is raised where there is no token."""
    with pytest.raises(CredentialMissing) as raised:
        credentials.get(target)
    assert raised.value.status == 503
    return str(raised.value)
