"""Bearer tokens of Microsoft Entra ID: one form is posted, one small JSON object is read.

https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow
"""

import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import Annotated
from urllib.parse import urlencode

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from antiphon.errors import CredentialMissing
from antiphon.observability import logger
from antiphon.relay.transport.client import Client
from antiphon.relay.transport.connection import Patience
from antiphon.relay.transport.errors import ReadTimeout, TransportError
from antiphon.relay.transport.outgoing import Outgoing
from antiphon.relay.transport.response import Response
from antiphon.settings.config import Entra
from antiphon.store.secrets import Clock, Credential, CredentialCache, ProviderSecrets

SECONDS = 5.0  # for each step of an exchange, and for reading all of its answer
PATIENCE = Patience(connect=2.0, head=SECONDS, write=SECONDS, read=SECONDS)
OK = 200
MAX_ANSWER_BYTES = 65_536  # bytes of an answer
OLD_SECONDS, OLD_SHARE = 300.0, 0.1  # before its end, whichever is less, a token is renewed
HEADERS = {
    "accept": "application/json",
    "accept-encoding": "identity",
    "content-type": "application/x-www-form-urlencoded",
    "user-agent": "antiphon",
}
JWT_BEARER = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
INVALID_CLIENT = "invalid_client"
NO_TRUST = "no federated credential of the application fits this function"
# By the number of AADSTS; https://login.microsoftonline.com/error?code=7000215 says more.
REASONS = {
    7000215: "the client secret is wrong: its value is needed, not its id",
    7000222: "the client secret has expired",
    700016: "the tenant has no application with this client_id",
    90002: "there is no tenant with this tenant_id",
    900023: "there is no tenant with this tenant_id",
    70021: NO_TRUST,
    700211: f"{NO_TRUST}: the issuer differs",
    700212: f"{NO_TRUST}: the audience differs",
    700213: f"{NO_TRUST}: the subject differs",
    70011: "the scope is wrong",
    500011: "the tenant knows nothing of the scope's name",
}


class EntraTokens:
    """Keeps each target's token until shortly before its end, and in an outage to the very end."""

    def __init__(
        self,
        client: Client,
        secrets: ProviderSecrets,
        identity: Callable[[str], str],  # an audience -> a token that AWS signs for it
        clock: Clock = time.monotonic,
    ) -> None:
        self._endpoint = TokenEndpoint(client, clock)
        self._secrets = secrets
        self._identity = identity
        self._clock = clock
        self._all: dict[str, CredentialCache] = {}

    def get(self, target: str, app: Entra) -> str:
        """Raise CredentialMissing, which says what is to be put right."""
        return self._kept(target, app).get()

    def renew(self, target: str, app: Entra, rejected: str) -> str | None:
        """Another token than this; None where none is to be had now."""
        return self._kept(target, app).renew(rejected)

    def _kept(self, target: str, app: Entra) -> CredentialCache:
        made = self._all.get(target)
        ask = partial(self._ask, target, app)
        return made or self._all.setdefault(target, CredentialCache(ask, self._clock))

    def _ask(self, target: str, app: Entra, _rejected: str | None) -> Credential:
        now = self._clock()  # before we ask: its life does not begin earlier
        ask = self._by_identity if app.identity == "aws" else self._by_secret
        token = ask(target, app)
        ends_at = now + token.expires_in
        old_at = ends_at - min(OLD_SECONDS, OLD_SHARE * token.expires_in)
        return Credential(token.access_token, old_at, ends_at)

    def _by_identity(self, target: str, app: Entra) -> "Token":
        assertion = self._identity(app.audience)
        proof = {"client_assertion_type": JWT_BEARER, "client_assertion": assertion}
        return self._endpoint.token(target, app, proof)

    def _by_secret(self, target: str, app: Entra) -> "Token":
        secret = self._secrets.get(target)
        try:
            return self._endpoint.token(target, app, {"client_secret": secret})
        except ProofRefused:
            other = self._secrets.renew(target, secret)
            if other is None:
                raise
            return self._endpoint.token(target, app, {"client_secret": other})


class TokenAnswer(BaseModel):
    model_config = ConfigDict(strict=True, hide_input_in_errors=True)


class Token(TokenAnswer):
    """RFC 6749, 5.1; what stands in it can stand in a header."""

    token_type: Annotated[str, StringConstraints(pattern=r"^(?i:bearer)$")]
    access_token: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._~+/-]+=*$")] = Field(
        repr=False
    )
    expires_in: int = Field(gt=0, le=172_800)  # seconds


class TokenRefusal(TokenAnswer):
    """RFC 6749, 5.2, without the description: it names tenant, application, role and account."""

    error: Annotated[str, StringConstraints(pattern=r"^[a-z_]{1,64}$")]
    error_codes: list[int] = Field(default_factory=list, max_length=8)


class ProofRefused(CredentialMissing):
    """Entra does not believe that it is us."""


class TokenEndpoint:
    """Logs no secret, assertion or token, and nothing that Entra says in words."""

    def __init__(self, client: Client, clock: Clock) -> None:
        self._client = client
        self._clock = clock

    def token(self, target: str, app: Entra, proof: Mapping[str, str]) -> Token:
        """Raise ProofRefused, or CredentialMissing for all else."""
        try:
            status, body = self._post(app, proof)
        except TransportError as exc:
            raise CredentialMissing(
                _missing_token(target, "it did not answer", type(exc).__name__)
            ) from exc
        if status != OK:
            raise _token_refused(target, status, body)
        try:
            return Token.model_validate_json(body)
        except ValidationError as exc:
            raise CredentialMissing(_missing_token(target, "its answer is no token")) from exc

    def _post(self, app: Entra, proof: Mapping[str, str]) -> tuple[int, bytes]:
        url = f"{app.authority}/{app.tenant_id}/oauth2/v2.0/token"
        form = {"grant_type": "client_credentials", "client_id": app.client_id, "scope": app.scope}
        body = urlencode({**form, **proof}).encode()
        answer = self._client.send(Outgoing.to(url, "POST", HEADERS, body), PATIENCE)
        try:
            return answer.status, self._read(answer)
        finally:
            answer.close()

    def _read(self, answer: Response) -> bytes:
        body, ends_at = b"", self._clock() + SECONDS
        for chunk in answer:
            body += chunk
            if len(body) > MAX_ANSWER_BYTES or self._clock() > ends_at:
                raise ReadTimeout("There is no end of it.")
        return body


def _token_refused(target: str, status: int, body: bytes) -> CredentialMissing:
    try:
        refusal = TokenRefusal.model_validate_json(body)
    except ValidationError:
        return CredentialMissing(_missing_token(target, f"it answered with status {status}"))
    reason = next(filter(None, map(REASONS.get, refusal.error_codes)), "it refuses the request")
    codes = ", ".join([refusal.error, *(f"AADSTS{number}" for number in refusal.error_codes)])
    kind = ProofRefused if refusal.error == INVALID_CLIENT else CredentialMissing
    return kind(_missing_token(target, reason, codes))


def _missing_token(target: str, reason: str, code: str = "") -> str:
    """What the caller is told, once the log knows."""
    logger.error("token not given", extra={"target": target, "reason": reason, "code": code})
    told = f"{reason} ({code})" if code else reason
    return (
        f"Microsoft Entra ID gives no token for the gateway's target '{target}': {told}. "
        "Your key is in order; tell those who run the gateway."
    )
