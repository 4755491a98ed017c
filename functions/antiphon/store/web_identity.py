"""Who this function is, told to others: a token that AWS signs and anybody can check.

https://docs.aws.amazon.com/STS/latest/APIReference/API_GetWebIdentityToken.html
"""

from collections.abc import Callable
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from antiphon.errors import CredentialMissing
from antiphon.observability import logger

TOKEN_SECONDS = 300  # of a token's life: it is exchanged at once
ALGORITHM = "RS256"  # the only one that Entra is documented to take
DISABLED = "OutboundWebIdentityFederationDisabled"
REASONS = {
    DISABLED: "run `aws iam enable-outbound-web-identity-federation` once in its account",
    "AccessDenied": "its role may not call sts:GetWebIdentityToken, or an organization's policy "
    "forbids it: deploy again",
    "InvalidAction": "the global endpoint of STS gives none: unset AWS_STS_REGIONAL_ENDPOINTS",
}


class WebIdentity:
    """Makes its client at the first token, for most gateways need none."""

    def __init__(self, connect: Callable[[], Any]) -> None:
        self._connect = connect
        self._client: Any = None

    def token(self, audience: str) -> str:
        """Raise CredentialMissing, which says what an operator is to do."""
        if self._client is None:
            self._client = self._connect()
        try:
            answer = self._client.get_web_identity_token(
                Audience=[audience], SigningAlgorithm=ALGORITHM, DurationSeconds=TOKEN_SECONDS
            )
        except (BotoCoreError, ClientError) as exc:
            raise _missing(exc) from exc
        token: str = answer["WebIdentityToken"]
        return token


def _missing(exc: BotoCoreError | ClientError) -> CredentialMissing:
    code = exc.response["Error"]["Code"] if isinstance(exc, ClientError) else type(exc).__name__
    reason = REASONS.get(code.removesuffix("Exception"), f"STS did not answer ({code})")
    logger.error("identity not attested", extra={"reason": reason, "code": code})
    return CredentialMissing(
        f"AWS does not attest the identity of the gateway: {reason}. "
        "Your key is in order; tell those who run the gateway."
    )
