"""A fake of Microsoft Entra ID's token endpoint."""

import itertools
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from urllib.parse import parse_qsl

import pytest

from antiphon.errors import CredentialMissing
from antiphon.upstream.credentials import Credentials
from tests.support.http_server import HttpAnswer, HttpRequest, serve_http

TENANT, CLIENT = "acme.example", "11111111-2222-3333-4444-555555555555"
SCOPE = "https://cognitiveservices.azure.com/.default"
TOKEN_SECONDS = 3599
JWT_BEARER = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


@dataclass(frozen=True)
class TokenRequest:
    path: str
    headers: Mapping[str, str]
    form: dict[str, str]


class FakeEntra:
    """Knows one application, by its secrets and the assertions that it trusts."""

    def __init__(self) -> None:
        self.secrets = {"client-secret"}
        self.assertions = {"signed-by-aws"}
        self.token_seconds = TOKEN_SECONDS
        self.requests: list[TokenRequest] = []
        self.response: HttpAnswer | None = None  # to every request, where a test sets it
        self._numbers = itertools.count(1)
        self.authority = ""  # its address
        self.close: Callable[[], None]  # ends its server before the test ends

    @property
    def app(self) -> dict[str, str]:
        """The value of `entra` in gateway.toml."""
        return {"tenant_id": TENANT, "client_id": CLIENT, "authority": self.authority}

    def token(self, number: int) -> str:
        return f"token-{number}"

    def respond(self, received: HttpRequest) -> HttpAnswer:
        form = dict(parse_qsl(received.body.decode(), keep_blank_values=True))
        request = TokenRequest(received.path, received.headers, form)
        self.requests.append(request)
        return self.response or self._check(request)

    def _check(self, request: TokenRequest) -> HttpAnswer:
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

    def _grant(self) -> HttpAnswer:
        token = self.token(next(self._numbers))
        return HttpAnswer.of_json(
            200, token_type="Bearer", expires_in=self.token_seconds, access_token=token
        )


def make_refusal(error: str, number: int, detail: object = "") -> HttpAnswer:
    """An error in Entra's form: its description repeats what the client sent."""
    description = f"AADSTS{number}: No. {detail}\r\nTrace ID: 0000\r\nCorrelation ID: 1111"
    return HttpAnswer.of_json(400, error=error, error_description=description, error_codes=[number])


@contextmanager
def fake_entra() -> Iterator[FakeEntra]:
    fake = FakeEntra()
    with ExitStack() as stack:
        fake.authority = stack.enter_context(serve_http(fake.respond))
        fake.close = stack.close
        yield fake


def read_credential_error(credentials: Credentials, target: str = "azure") -> str:
    """The message of the error that is raised where there is no token."""
    with pytest.raises(CredentialMissing) as raised:
        credentials.get(target)
    assert raised.value.status == 503
    return str(raised.value)
