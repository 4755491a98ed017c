"""Plays Microsoft Entra ID's token endpoint as far as a gateway can tell."""

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
LIFE = 3599  # seconds
JWT_BEARER = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


@dataclass(frozen=True)
class Asked:
    path: str
    headers: dict[str, str]
    form: dict[str, str]


@dataclass(frozen=True)
class Answer:
    status: int
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, status: int, **content: Any) -> "Answer":
        return cls(status, json.dumps(content).encode(), {"content-type": "application/json"})


class Entra:
    """Knows one application, by its secrets and the assertions that it trusts."""

    def __init__(self) -> None:
        self.secrets = {"client-secret"}
        self.assertions = {"signed-by-aws"}
        self.life = LIFE
        self.asked: list[Asked] = []
        self.answer: Answer | None = None  # whatever is asked
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

    def granted(self, number: int) -> str:
        return f"token-{number}"

    def reply(self, asked: Asked) -> Answer:
        self.asked.append(asked)
        return self.answer or self._judged(asked)

    def _judged(self, asked: Asked) -> Answer:
        form = asked.form
        if asked.path != f"/{TENANT}/oauth2/v2.0/token":
            return refusal("invalid_request", 90002)
        if form.get("client_id") != CLIENT:
            return refusal("unauthorized_client", 700016)
        if (form.get("grant_type"), form.get("scope")) != ("client_credentials", SCOPE):
            return refusal("invalid_scope", 70011)
        if "client_assertion" in form and form.get("client_assertion_type") == JWT_BEARER:
            believed, number = form["client_assertion"] in self.assertions, 700213
        else:
            believed, number = form.get("client_secret") in self.secrets, 7000215
        return self._grant() if believed else refusal("invalid_client", number, form)

    def _grant(self) -> Answer:
        token = self.granted(next(self._numbers))
        return Answer.of(200, token_type="Bearer", expires_in=self.life, access_token=token)


def refusal(error: str, number: int, told: object = "") -> Answer:
    """As Entra words it: the description names whom and what it likes."""
    description = f"AADSTS{number}: No. {told}\r\nTrace ID: 0000\r\nCorrelation ID: 1111"
    return Answer.of(400, error=error, error_description=description, error_codes=[number])


class _Server(ThreadingHTTPServer):
    entra: Entra
    request_queue_size = 256
    block_on_close = False  # a client may hold its connection a little longer


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server
    timeout = 30

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        headers = {name.lower(): value for name, value in self.headers.items()}
        asked = Asked(self.path, headers, dict(parse_qsl(body.decode(), keep_blank_values=True)))
        answer = self.server.entra.reply(asked)
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(answer.body)))
        self.end_headers()
        self.wfile.write(answer.body)

    def log_message(self, *_: object) -> None:
        """Nothing: tests have their own way to see what was asked."""


@contextmanager
def entra() -> Iterator[Entra]:
    playing = Entra()
    try:
        yield playing
    finally:
        playing.close()


def missing(credentials: Credentials, target: str = "azure") -> str:
    """What is said where there is no token."""
    with pytest.raises(CredentialMissing) as told:
        credentials.get(target)
    assert told.value.status == 503
    return str(told.value)
