"""The signing secrets of webhook endpoints, all derived from one secret of the stack.

So none of them is at rest. See docs/decisions/0045-signing-secrets-are-derived.md.
"""

import hashlib
import hmac
import time
from base64 import b64encode
from typing import TYPE_CHECKING

from antiphon.errors import CredentialMissing
from antiphon.observability import logger
from antiphon.store.secrets import Clock, ParsedSecret

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager.client import SecretsManagerClient

    from antiphon.store.aws_api import SecretsManager

PREFIX = "whsec_"  # Standard Webhooks: the rest is Base64
HINT_CHARS = 4
MIN_CHARS = 32  # of the stack's secret


class SigningSecrets:
    """Reads the stack's secret at first use and then every five minutes."""

    def __init__(
        self,
        client: "SecretsManager | SecretsManagerClient",
        arn: str,
        clock: Clock = time.time,
    ) -> None:
        self._secret = ParsedSecret(client, arn, _parse, clock)

    def key(self, tenant: str, endpoint: str, generation: int) -> bytes:
        """Return the key of HMAC-SHA256 for one generation; raise CredentialMissing."""
        try:
            stack = self._secret.get()
        except CredentialMissing as exc:
            raise _missing(str(exc)) from exc
        # Neither a tenant nor an id contains a slash, so that no two texts are the same.
        return hmac.digest(stack, f"{tenant}/{endpoint}/{generation}".encode(), hashlib.sha256)


def _parse(text: str) -> bytes:
    if len(text) < MIN_CHARS:
        raise CredentialMissing(f"its secret has less than {MIN_CHARS} characters")
    return text.encode()


def secret_text(key: bytes) -> str:
    """Return a signing secret as its receiver is given it."""
    return PREFIX + b64encode(key).decode()


def secret_hint(key: bytes) -> str:
    """Return what tells two secrets of an endpoint apart, and is no secret."""
    return f"{PREFIX}...{secret_text(key).rstrip('=')[-HINT_CHARS:]}"


def _missing(reason: str) -> CredentialMissing:
    logger.error("signing secret not read", extra={"reason": reason})
    return CredentialMissing(
        f"The gateway cannot sign webhooks: {reason}. Contact the operators of the gateway."
    )
