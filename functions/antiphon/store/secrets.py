"""One credential in memory: used while it is fresh, and asked for by one thread at a time.

Provider credentials, one secret for each target, in Secrets Manager.
"""

import random
import re
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from antiphon.errors import CredentialMissing
from antiphon.observability import logger

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager.client import SecretsManagerClient


RENEWAL_PAUSE = 30.0  # seconds between two questions that a provider's refusal makes us ask
STALE_PAUSE = 30.0  # seconds for which what is stale does, once nobody has answered
MISSING_PAUSE = 1.0  # seconds for which those who come meanwhile share a failure

type Clock = Callable[[], float]  # seconds


@dataclass(frozen=True)
class Credential:
    """A credential and how long it does, in seconds of the clock; it shows itself nowhere."""

    text: str = field(repr=False)
    fresh_until: float
    usable_until: float  # where no other is to be had


type FetchCredential = Callable[
    [str | None], Credential
]  # takes what is refused; raises CredentialMissing


class CredentialCache:
    """Whoever needs an answer while another asks waits for it, and asks nothing."""

    def __init__(self, ask: FetchCredential, clock: Clock) -> None:
        self._ask = ask
        self._clock = clock
        self._asking = threading.Lock()
        self._found: Credential | None = None
        self._failure: tuple[str, float] | None = None  # and until when it is shared
        self._renewable_at = float("-inf")

    def get(self) -> str:
        """Raise CredentialMissing where there is none, and none that is still usable."""
        found = self._fresh()
        if found is None:
            with self._asking:
                found = self._fresh() or self._refreshed()
        return found.text

    def renew(self, rejected: str) -> str | None:
        """Another one than this, which is refused; None where none is to be had now."""
        with self._asking:
            if self._found is not None and self._found.text != rejected:
                return self._found.text
            now = self._clock()
            if now < self._renewable_at:
                return None
            self._renewable_at = now + RENEWAL_PAUSE
            try:
                self._found = self._ask(rejected)
            except CredentialMissing:
                return None
            return None if self._found.text == rejected else self._found.text

    def _fresh(self) -> Credential | None:
        found = self._found
        return found if found is not None and self._clock() < found.fresh_until else None

    def _refreshed(self) -> Credential:
        if self._failure is not None and self._clock() < self._failure[1]:
            raise CredentialMissing(self._failure[0])
        try:
            self._found = self._ask(None)
        except CredentialMissing as exc:
            self._found = self._stale(exc)
        return self._found

    def _stale(self, exc: CredentialMissing) -> Credential:
        now = self._clock()
        if self._found is None or now >= self._found.usable_until:
            self._failure = str(exc), now + MISSING_PAUSE
            raise exc
        # Not at the next call again: each question costs its caller a time-out.
        return replace(self._found, fresh_until=min(now + STALE_PAUSE, self._found.usable_until))


FRESH_SECONDS = 300.0  # seconds a credential is used without asking again
STALE_SECONDS = 86_400.0  # seconds it may be used on while Secrets Manager does not answer
CURRENT_STAGE, PREVIOUS_STAGE = "AWSCURRENT", "AWSPREVIOUS"
PLACEHOLDER = "replace-me"  # what the stack puts into a secret that it makes
# One word that can stand in a header; key/value pairs of the console are JSON, and are none.
CREDENTIAL_PATTERN = re.compile(r"(?!\{)[!-~]+")
REASONS = {
    "ResourceNotFoundException": "its secret is not there",
    "AccessDeniedException": "its secret may not be read",
    "InvalidRequestException": "its secret is about to be deleted",
}


class ProviderSecrets:
    """Asks at the first use and every five minutes; an outage does not stop what is running."""

    def __init__(
        self, client: "SecretsManagerClient", prefix: str, clock: Clock = time.monotonic
    ) -> None:
        self._client = client
        self._prefix = prefix
        self._clock = clock
        self._all: dict[str, CredentialCache] = {}

    def get(self, target: str) -> str:
        """Raise CredentialMissing where there is none, and none was known today."""
        return self._kept(target).get()

    def renew(self, target: str, rejected: str) -> str | None:
        """Another version than the one that is refused: the current one, else the one before.

        A rotation may be done here before the provider takes the new key. What is found is used
        until the next regular question.
        """
        return self._kept(target).renew(rejected)

    def _kept(self, target: str) -> CredentialCache:
        made = self._all.get(target)
        return made or self._all.setdefault(
            target, CredentialCache(partial(self._ask, target), self._clock)
        )

    def _ask(self, target: str, rejected: str | None) -> Credential:
        now = self._clock()
        text = self._read(target, CURRENT_STAGE)
        if text == rejected:
            text = self._previous(target) or text
        # Environments that were started together do not come back together.
        fresh = FRESH_SECONDS * random.uniform(0.8, 1)  # noqa: S311  no secret
        return Credential(text, now + fresh, now + STALE_SECONDS)

    def _previous(self, target: str) -> str | None:
        try:
            return self._read(target, PREVIOUS_STAGE)
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
        if not CREDENTIAL_PATTERN.fullmatch(text):
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
