"""Bearer tokens of Microsoft Entra ID, by the client credentials grant.

https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow
"""

import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import Annotated
from urllib.parse import urlencode

import httpx
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from antiphon.errors import CredentialMissing
from antiphon.observability import logger
from antiphon.settings.targets import Entra
from antiphon.store.secrets import Clock, Credential, CredentialCache, ProviderSecrets
from antiphon.upstream.documents import HEADERS, OK, send_small
from antiphon.upstream.http1 import build_request

RENEW_SECONDS, RENEW_SHARE = 300.0, 0.1  # a token is renewed before its end by the smaller one
FORM_HEADERS = {**HEADERS, "content-type": "application/x-www-form-urlencoded"}
JWT_BEARER = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
INVALID_CLIENT = "invalid_client"
NO_TRUST = "no federated credential of the application fits this function"
# By the number of the AADSTS code, see https://login.microsoftonline.com/error?code=7000215.
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
    500011: "the tenant does not know the resource of the scope",
}


class EntraTokens:
    """Caches each target's token until shortly before its end, and in an outage until its end."""

    def __init__(
        self,
        transport: httpx.BaseTransport,
        secrets: ProviderSecrets,
        identity: Callable[[str], str],  # an audience -> a token that AWS signs for it
        clock: Clock = time.monotonic,
    ) -> None:
        self._endpoint = TokenEndpoint(transport, clock)
        self._secrets = secrets
        self._identity = identity
        self._clock = clock
        self._caches: dict[str, CredentialCache] = {}

    def get(self, target: str, app: Entra) -> str:
        """Raise CredentialMissing with what the operator must correct."""
        return self._cache(target, app).get()

    def renew(self, target: str, app: Entra, rejected: str) -> str | None:
        """Return another token than the rejected one; None where there is none now."""
        return self._cache(target, app).renew(rejected)

    def _cache(self, target: str, app: Entra) -> CredentialCache:
        cache = self._caches.get(target)
        fetch = partial(self._fetch, target, app)
        return cache or self._caches.setdefault(target, CredentialCache(fetch, self._clock))

    def _fetch(self, target: str, app: Entra, _rejected: str | None) -> Credential:
        now = self._clock()  # before the request: the token's life does not begin earlier
        fetch = self._by_identity if app.identity == "aws" else self._by_secret
        token = fetch(target, app)
        ends_at = now + token.expires_in
        renew_at = ends_at - min(RENEW_SECONDS, RENEW_SHARE * token.expires_in)
        return Credential(token.access_token, renew_at, ends_at)

    def _by_identity(self, target: str, app: Entra) -> "Token":
        assertion = self._identity(app.audience)
        proof = {"client_assertion_type": JWT_BEARER, "client_assertion": assertion}
        return self._endpoint.fetch(target, app, proof)

    def _by_secret(self, target: str, app: Entra) -> "Token":
        secret = self._secrets.get(target)
        try:
            return self._endpoint.fetch(target, app, {"client_secret": secret})
        except ProofRefused:
            other = self._secrets.renew(target, secret)
            if other is None:
                raise
            return self._endpoint.fetch(target, app, {"client_secret": other})


class TokenAnswer(BaseModel):
    model_config = ConfigDict(strict=True, hide_input_in_errors=True)


class Token(TokenAnswer):
    """RFC 6749, 5.1; the pattern allows only what may stand in a header."""

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
    """Entra does not accept the client secret or the assertion."""


class TokenEndpoint:
    """Logs no secret, assertion or token, and none of Entra's own messages."""

    def __init__(self, transport: httpx.BaseTransport, clock: Clock) -> None:
        self._transport = transport
        self._clock = clock

    def fetch(self, target: str, app: Entra, proof: Mapping[str, str]) -> Token:
        """Raise ProofRefused, or CredentialMissing for every other failure."""
        try:
            status, body = self._post(app, proof)
        except httpx.RequestError as exc:
            reason = "it did not answer"
            raise CredentialMissing(_log_missing(target, reason, type(exc).__name__)) from exc
        if status != OK:
            raise _refusal(target, status, body)
        try:
            return Token.model_validate_json(body)
        except ValidationError as exc:
            raise CredentialMissing(_log_missing(target, "its answer is not a token")) from exc

    def _post(self, app: Entra, proof: Mapping[str, str]) -> tuple[int, bytes]:
        url = f"{app.authority}/{app.tenant_id}/oauth2/v2.0/token"
        form = {"grant_type": "client_credentials", "client_id": app.client_id, "scope": app.scope}
        body = urlencode({**form, **proof}).encode()
        request = build_request("POST", url, FORM_HEADERS, body)
        return send_small(self._transport, request, self._clock)


def _refusal(target: str, status: int, body: bytes) -> CredentialMissing:
    try:
        refusal = TokenRefusal.model_validate_json(body)
    except ValidationError:
        return CredentialMissing(_log_missing(target, f"it answered with status {status}"))
    reason = next(filter(None, map(REASONS.get, refusal.error_codes)), "it refuses the request")
    codes = ", ".join([refusal.error, *(f"AADSTS{number}" for number in refusal.error_codes)])
    kind = ProofRefused if refusal.error == INVALID_CLIENT else CredentialMissing
    return kind(_log_missing(target, reason, codes))


def _log_missing(target: str, reason: str, code: str = "") -> str:
    """Log why there is no token; return the message for the caller."""
    logger.error("token missing", extra={"target": target, "reason": reason, "code": code})
    detail = f"{reason} ({code})" if code else reason
    return (
        f"Microsoft Entra ID gives no token for the gateway's target '{target}': {detail}. "
        "Your key is valid; contact the operators of the gateway."
    )
