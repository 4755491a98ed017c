"""The signing secrets of webhook endpoints, all derived from one secret of the stack.

So none of them is at rest. See docs/decisions/0045-signing-secrets-are-derived.md.
"""

import hashlib
import hmac
import time
from base64 import b64encode
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError
from cachetools import TTLCache

from antiphon.errors import CredentialMissing
from antiphon.observability import logger
from antiphon.store.secrets import FRESH_SECONDS, Clock, failure_reason

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
        clock: Clock = time.monotonic,
    ) -> None:
        self._client = client
        self._arn = arn
        self._cached: TTLCache[str, bytes] = TTLCache(1, FRESH_SECONDS, clock)

    def key(self, tenant: str, endpoint: str, generation: int) -> bytes:
        """Return the key of HMAC-SHA256 for one generation; raise CredentialMissing."""
        stack = self._cached.get(self._arn)
        if stack is None:
            stack = self._cached[self._arn] = self._read()
        # Neither a tenant nor an id contains a slash, so that no two texts are the same.
        return hmac.digest(stack, f"{tenant}/{endpoint}/{generation}".encode(), hashlib.sha256)

    def _read(self) -> bytes:
        try:
            value = self._client.get_secret_value(SecretId=self._arn).get("SecretString", "")
        except (BotoCoreError, ClientError) as exc:
            raise _missing(failure_reason(exc)) from exc
        if len(value) < MIN_CHARS:
            raise _missing(f"its secret has less than {MIN_CHARS} characters")
        return value.encode()


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
