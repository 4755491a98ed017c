"""Bearer tokens of Microsoft Entra ID, by the client credentials grant.

https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow
"""

import time
from collections.abc import Callable, Mapping
from typing import Annotated
from urllib.parse import urlencode

import httpx
from pydantic import Field, StringConstraints

from antiphon.settings.targets import Entra
from antiphon.store.secrets import Clock, ProviderSecrets
from antiphon.upstream.documents import HEADERS
from antiphon.upstream.http1 import build_request
from antiphon.upstream.tokens import ProofRefused, Refusal, Token, TokenAnswer, TokenEndpoint

ISSUER = "Microsoft Entra ID"
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
    """Gets tokens with a client secret, or with a token of the function's own AWS identity."""

    def __init__(
        self,
        transport: httpx.BaseTransport,
        secrets: ProviderSecrets,
        identity: Callable[[str], str],  # an audience -> a token that AWS signs for it
        clock: Clock = time.monotonic,
    ) -> None:
        self._endpoint = TokenEndpoint(ISSUER, read_refusal, transport, clock)
        self._secrets = secrets
        self._identity = identity

    def fetch(self, target: str, app: Entra) -> Token:
        """Raise CredentialMissing with what the operator must correct."""
        return (self._by_identity if app.identity == "aws" else self._by_secret)(target, app)

    def _by_identity(self, target: str, app: Entra) -> Token:
        assertion = self._identity(app.audience)
        proof = {"client_assertion_type": JWT_BEARER, "client_assertion": assertion}
        return self._endpoint.fetch(target, _build_request(app, proof))

    def _by_secret(self, target: str, app: Entra) -> Token:
        secret = self._secrets.get(target)
        try:
            return self._endpoint.fetch(target, _build_request(app, {"client_secret": secret}))
        except ProofRefused:
            other = self._secrets.renew(target, secret)
            if other is None:
                raise
            return self._endpoint.fetch(target, _build_request(app, {"client_secret": other}))


class TokenRefusal(TokenAnswer):
    """RFC 6749, 5.2, without the description: it names tenant, application, role and account."""

    error: Annotated[str, StringConstraints(pattern=r"^[a-z_]{1,64}$")]
    error_codes: list[int] = Field(default_factory=list, max_length=8)


def read_refusal(body: bytes) -> Refusal:
    """Raise ValidationError for a body that is no error of Entra's."""
    found = TokenRefusal.model_validate_json(body)
    reason = next(filter(None, map(REASONS.get, found.error_codes)), "it refuses the request")
    codes = ", ".join([found.error, *(f"AADSTS{number}" for number in found.error_codes)])
    return Refusal(reason=reason, code=codes, is_about_proof=found.error == INVALID_CLIENT)


def _build_request(app: Entra, proof: Mapping[str, str]) -> httpx.Request:
    url = f"{app.authority}/{app.tenant_id}/oauth2/v2.0/token"
    form = {"grant_type": "client_credentials", "client_id": app.client_id, "scope": app.scope}
    return build_request("POST", url, FORM_HEADERS, urlencode({**form, **proof}).encode())
