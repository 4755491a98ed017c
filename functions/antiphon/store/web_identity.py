"""Tokens of this function's own AWS identity, signed by AWS, for use at other services.

https://docs.aws.amazon.com/STS/latest/APIReference/API_GetWebIdentityToken.html
"""

from collections.abc import Callable
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from antiphon.errors import CredentialMissing
from antiphon.observability import logger

TOKEN_SECONDS = 300  # lifetime of a token, which is exchanged at once
ALGORITHM = "RS256"  # the only one that Entra's documentation names
NOT_ENABLED = "run `aws iam enable-outbound-web-identity-federation` once in its account"
REASONS = {  # by error code; what the operator must do
    "OutboundWebIdentityFederationDisabled": NOT_ENABLED,
    "AccessDenied": "its role may not call sts:GetWebIdentityToken, or an organization's policy "
    "forbids it: deploy again",
    "InvalidAction": "the global endpoint of STS does not issue tokens: "
    "unset AWS_STS_REGIONAL_ENDPOINTS",
}


class WebIdentity:
    """Creates its client for the first token, because most gateways need none."""

    def __init__(self, connect: Callable[[], Any]) -> None:
        self._connect = connect
        self._client: Any = None

    def token(self, audience: str) -> str:
        """Return a token; raise CredentialMissing with what the operator must do."""
        if self._client is None:
            self._client = self._connect()
        try:
            response = self._client.get_web_identity_token(
                Audience=[audience], SigningAlgorithm=ALGORITHM, DurationSeconds=TOKEN_SECONDS
            )
        except (BotoCoreError, ClientError) as exc:
            raise _credential_missing(exc) from exc
        token: str = response["WebIdentityToken"]
        return token


def _credential_missing(exc: BotoCoreError | ClientError) -> CredentialMissing:
    code = exc.response["Error"]["Code"] if isinstance(exc, ClientError) else type(exc).__name__
    reason = REASONS.get(code.removesuffix("Exception"), f"STS did not answer ({code})")
    logger.error("identity token not issued", extra={"reason": reason, "code": code})
    return CredentialMissing(
        f"AWS issues no identity token to the gateway: {reason}. "
        "Your key is valid; contact the operators of the gateway."
    )
