"""Provider credentials, one secret for each target."""

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from antiphon.errors import CredentialMissing
from antiphon.observe import logger

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager.client import SecretsManagerClient

FRESH = 300.0  # seconds a credential is used without asking again
STALE = 86_400.0  # seconds it may be used on while Secrets Manager does not answer


@dataclass(frozen=True)
class Credential:
    value: str
    read_at: float


class Secrets:
    """Asks at the first use and every five minutes; an outage does not stop what is running."""

    def __init__(self, client: "SecretsManagerClient", prefix: str) -> None:
        self._client = client
        self._prefix = prefix
        self._kept: dict[str, Credential] = {}

    def get(self, target: str) -> str:
        """Raise CredentialMissing where there is none, and none was known today."""
        known = self._kept.get(target)
        if known is None or time.monotonic() - known.read_at > FRESH:
            known = self._ask(target, known)
        return known.value

    def _ask(self, target: str, known: Credential | None) -> Credential:
        now = time.monotonic()
        try:
            found = self._client.get_secret_value(SecretId=f"{self._prefix}/{target}")
            self._kept[target] = Credential(found["SecretString"].strip(), now)
        except (BotoCoreError, ClientError) as exc:
            logger.error("credential not read", extra={"target": target})
            if known is None or now - known.read_at > STALE:
                message = f"The gateway has no credential for its target '{target}'."
                raise CredentialMissing(message) from exc
            return known
        return self._kept[target]
