"""Bearer tokens of OpenAI in exchange for a token of the function's own AWS identity (RFC 8693).

https://developers.openai.com/api/reference/workload-identity-federation
"""

import base64
import json
import re
import time
from collections.abc import Callable, Mapping
from typing import Annotated

import httpx
from pydantic import StringConstraints

from antiphon.settings.targets import WorkloadIdentity
from antiphon.store.secrets import Clock
from antiphon.upstream.documents import HEADERS
from antiphon.upstream.http1 import build_request
from antiphon.upstream.tokens import Refusal, Token, TokenAnswer, TokenEndpoint

ISSUER = "OpenAI"
JSON_HEADERS = {**HEADERS, "content-type": "application/json"}
TOKEN_EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"  # noqa: S105  no password
JWT = "urn:ietf:params:oauth:token-type:jwt"
# The words of a description that name what does not match, the more specific ones first. OpenAI
# does not document them: where none is found, the reason names all that must match.
REASONS = {
    r"service.?account|mapping": "no service account mapping fits the role (subject) and the "
    "service_account_id",
    r"\bsub(ject)?\b(?!.?token)": "the subject differs: register the ARN of the role",
    r"\baud(ience)?\b": "the audience differs",
    r"\biss(uer)?\b": "the issuer differs: it is the one of the AWS account",
    r"identity.?provider": "OpenAI has no identity provider with this identity_provider_id",
    r"expired|\bexp\b": "the AWS token had expired",
    r"signature|jwks|\bkid\b|\balg\b": "the AWS token's signature was not accepted",
}
ANY_REASON = (
    "the identity provider or service account does not fit: compare issuer, subject and audience"
)
CLAIMS = {"iss": "issuer", "sub": "subject", "aud": "audience"}


class OpenAITokens:
    def __init__(
        self,
        transport: httpx.BaseTransport,
        identity: Callable[[str], str],  # an audience -> a token that AWS signs for it
        clock: Clock = time.monotonic,
    ) -> None:
        self._endpoint = TokenEndpoint(ISSUER, read_refusal, transport, clock)
        self._identity = identity

    def fetch(self, target: str, settings: WorkloadIdentity) -> Token:
        """Raise CredentialMissing with what the operator must correct."""
        subject_token = self._identity(settings.audience)
        body = {
            "grant_type": TOKEN_EXCHANGE,
            "subject_token": subject_token,
            "subject_token_type": JWT,
            "identity_provider_id": settings.identity_provider_id,
            "service_account_id": settings.service_account_id,
        }
        encoded = json.dumps(body).encode()
        request = build_request("POST", settings.token_url, JSON_HEADERS, encoded)
        return self._endpoint.fetch(target, request, read_claims(subject_token))


class TokenRefusal(TokenAnswer):
    """RFC 6749, 5.2. The description is searched, but neither logged nor returned."""

    error: Annotated[str, StringConstraints(pattern=r"^[a-z_]{1,64}$")]
    error_description: str = ""


def read_refusal(body: bytes) -> Refusal:
    """Raise ValidationError for a body that is no error of RFC 6749."""
    found = TokenRefusal.model_validate_json(body)
    text = found.error_description.lower()
    reasons = (reason for words, reason in REASONS.items() if re.search(words, text))
    return Refusal(reason=next(reasons, ANY_REASON), code=found.error)


def read_claims(token: str) -> Mapping[str, object]:
    """Return what must be registered at OpenAI, for the log: none of it is secret.

    The signature is OpenAI's to check.
    """
    try:
        payload = token.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        return {name: claims[claim] for claim, name in CLAIMS.items()}
    except (IndexError, KeyError, TypeError, ValueError):
        return {}
