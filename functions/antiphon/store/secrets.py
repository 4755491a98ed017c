"""Provider credentials, one secret for each target, in Secrets Manager."""

import random
import re
import time
from functools import partial
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from antiphon.errors import CredentialMissing
from antiphon.observe import logger
from antiphon.store.kept import Clock, Found, Kept

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager.client import SecretsManagerClient

FRESH = 300.0  # seconds a credential is used without asking again
STALE = 86_400.0  # seconds it may be used on while Secrets Manager does not answer
CURRENT, PREVIOUS = "AWSCURRENT", "AWSPREVIOUS"
PLACEHOLDER = "replace-me"  # what the stack puts into a secret that it makes
# One word that can stand in a header; key/value pairs of the console are JSON, and are none.
CREDENTIAL = re.compile(r"(?!\{)[!-~]+")
REASONS = {
    "ResourceNotFoundException": "its secret is not there",
    "AccessDeniedException": "its secret may not be read",
    "InvalidRequestException": "its secret is about to be deleted",
}


class Secrets:
    """Asks at the first use and every five minutes; an outage does not stop what is running."""

    def __init__(
        self, client: "SecretsManagerClient", prefix: str, clock: Clock = time.monotonic
    ) -> None:
        self._client = client
        self._prefix = prefix
        self._clock = clock
        self._all: dict[str, Kept] = {}

    def get(self, target: str) -> str:
        """Raise CredentialMissing where there is none, and none was known today."""
        return self._kept(target).get()

    def renew(self, target: str, rejected: str) -> str | None:
        """Another version than the one that is refused: the current one, else the one before.

        A rotation may be done here before the provider takes the new key. What is found is used
        until the next regular question.
        """
        return self._kept(target).renew(rejected)

    def _kept(self, target: str) -> Kept:
        made = self._all.get(target)
        return made or self._all.setdefault(target, Kept(partial(self._ask, target), self._clock))

    def _ask(self, target: str, rejected: str | None) -> Found:
        now = self._clock()
        text = self._read(target, CURRENT)
        if text == rejected:
            text = self._previous(target) or text
        # Environments that were started together do not come back together.
        fresh = FRESH * random.uniform(0.8, 1)  # noqa: S311  no secret
        return Found(text, now + fresh, now + STALE)

    def _previous(self, target: str) -> str | None:
        try:
            return self._read(target, PREVIOUS)
        except CredentialMissing:
            return None

    def _read(self, target: str, stage: str) -> str:
        name = f"{self._prefix}/{target}"
        try:
            answer = self._client.get_secret_value(SecretId=name, VersionStage=stage)
        except (BotoCoreError, ClientError) as exc:
            raise _missing(target, stage, _reason(exc)) from exc
        text = answer.get("SecretString", "").strip()
        if text == PLACEHOLDER:
            raise _missing(target, stage, "nobody has put one into its secret")
        if not CREDENTIAL.fullmatch(text):
            raise _missing(target, stage, "its secret is not the credential alone, as plain text")
        return text


def _reason(exc: BotoCoreError | ClientError) -> str:
    code = exc.response["Error"]["Code"] if isinstance(exc, ClientError) else ""
    return REASONS.get(code, "Secrets Manager did not answer")


def _missing(target: str, stage: str, reason: str) -> CredentialMissing:
    logger.error("credential not read", extra={"target": target, "stage": stage, "reason": reason})
    return CredentialMissing(
        f"The gateway has no credential for its target '{target}': {reason}. "
        "Your key is in order; tell those who run the gateway."
    )
