"""Provider credentials from Secrets Manager, one secret for each target, cached in memory."""

import json
import random
import re
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError
from cachetools import TTLCache

from antiphon.errors import CredentialMissing
from antiphon.observability import logger

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager.client import SecretsManagerClient

    from antiphon.store.aws_api import SecretsManager

RENEWAL_PAUSE = 30.0  # seconds between two renewals after a provider rejected the credential
STALE_PAUSE = 30.0  # seconds a stale credential is used after a failed fetch
FAILURE_PAUSE = 1.0  # seconds a failed fetch is repeated to callers without another fetch
FRESH_SECONDS = 300.0  # a secret is used without another read
STALE_SECONDS = 86_400.0  # a secret may be used while Secrets Manager does not answer
CURRENT_STAGE, PREVIOUS_STAGE = "AWSCURRENT", "AWSPREVIOUS"
PLACEHOLDER = "replace-me"  # the value of a secret that the stack has just created
# One token that may stand in a header. The console's key/value pairs are JSON and not allowed.
CREDENTIAL_PATTERN = re.compile(r"(?!\{)[!-~]+")
HEADER_PATTERN = re.compile(r"[!-~][ -~]{0,2000}")
REASONS = {
    "ResourceNotFoundException": "its secret does not exist",
    "AccessDeniedException": "the gateway has no permission to read its secret",
    "InvalidRequestException": "its secret is scheduled for deletion",
}

# Seconds. Lifetimes are of time.time(): time.monotonic() may stop while Lambda freezes the process.
type Clock = Callable[[], float]


@dataclass(frozen=True)
class Credential:
    """A credential and its lifetime, in seconds of the clock; its value is in no `repr`."""

    value: str = field(repr=False)
    fresh_until: float
    usable_until: float  # if no other can be fetched


# Gets the value that a provider rejected, if any; raises CredentialMissing.
type FetchCredential = Callable[[str | None], Credential]


class CredentialCache:
    """Caches one credential; one thread fetches it while the others wait for the result."""

    def __init__(self, fetch: FetchCredential, clock: Clock) -> None:
        self._fetch = fetch
        self._clock = clock
        self._lock = threading.Lock()
        self._credential: Credential | None = None
        self._failure: tuple[str, float] | None = None  # message, and until when it is repeated
        self._next_renewal = float("-inf")

    def get(self) -> str:
        """Return the credential; raise CredentialMissing where none is fetched or still usable."""
        credential = self._fresh()
        if credential is None:
            with self._lock:
                credential = self._fresh() or self._refresh()
        return credential.value

    def renew(self, rejected: str) -> str | None:
        """Return another credential than the rejected one; None where there is none now."""
        with self._lock:
            if self._credential is not None and self._credential.value != rejected:
                return self._credential.value
            now = self._clock()
            if now < self._next_renewal:
                return None
            self._next_renewal = now + RENEWAL_PAUSE
            try:
                self._credential = self._fetch(rejected)
            except CredentialMissing:
                return None
            return None if self._credential.value == rejected else self._credential.value

    def _fresh(self) -> Credential | None:
        credential = self._credential
        is_fresh = credential is not None and self._clock() < credential.fresh_until
        return credential if is_fresh else None

    def _refresh(self) -> Credential:
        if self._failure is not None and self._clock() < self._failure[1]:
            raise CredentialMissing(self._failure[0])
        try:
            self._credential = self._fetch(None)
        except CredentialMissing as exc:
            self._credential = self._prolong_stale(exc)
        return self._credential

    def _prolong_stale(self, failure: CredentialMissing) -> Credential:
        """Return the stale credential for a while: each failed fetch costs a caller a timeout."""
        now = self._clock()
        if self._credential is None or now >= self._credential.usable_until:
            self._failure = str(failure), now + FAILURE_PAUSE
            raise failure
        fresh_until = min(now + STALE_PAUSE, self._credential.usable_until)
        return replace(self._credential, fresh_until=fresh_until)


class ProviderSecrets:
    """Reads a target's secret at first use and then every five minutes.

    While Secrets Manager does not answer, a secret that was read before is used for up to a day.
    """

    def __init__(
        self,
        client: "SecretsManager | SecretsManagerClient",
        secrets: Mapping[str, str],
        clock: Clock = time.time,
    ) -> None:
        self._client = client
        self._secrets = secrets  # the ARN or name of each target's secret
        self._clock = clock
        self._caches: dict[str, CredentialCache] = {}

    def get(self, target: str) -> str:
        """Return a target's credential; raise CredentialMissing where there is none."""
        return self._cache(target).get()

    def renew(self, target: str, rejected: str) -> str | None:
        """Return the current version if it is not the rejected one, else the previous version.

        A rotation may be complete here before the provider accepts the new key. The result is used
        until the next regular read. None where there is no other version.
        """
        return self._cache(target).renew(rejected)

    def _cache(self, target: str) -> CredentialCache:
        cache = self._caches.get(target)
        return cache or self._caches.setdefault(
            target, CredentialCache(partial(self._fetch, target), self._clock)
        )

    def _fetch(self, target: str, rejected: str | None) -> Credential:
        now = self._clock()
        value = self._read(target, CURRENT_STAGE)
        if value == rejected:
            value = self._read_previous(target) or value
        # The jitter spreads the reads of environments that were started together.
        fresh = FRESH_SECONDS * random.uniform(0.8, 1)  # noqa: S311  not for cryptography
        return Credential(value, now + fresh, now + STALE_SECONDS)

    def _read_previous(self, target: str) -> str | None:
        try:
            return self._read(target, PREVIOUS_STAGE)
        except CredentialMissing:
            return None

    def _read(self, target: str, stage: str) -> str:
        id = self._secrets.get(target)
        if id is None:
            raise _credential_missing(target, stage, REASONS["ResourceNotFoundException"])
        try:
            secret = self._client.get_secret_value(SecretId=id, VersionStage=stage)
        except (BotoCoreError, ClientError) as exc:
            raise _credential_missing(target, stage, _failure_reason(exc)) from exc
        value = secret.get("SecretString", "").strip()
        if value == PLACEHOLDER:
            raise _credential_missing(target, stage, "its secret still has the placeholder value")
        if not CREDENTIAL_PATTERN.fullmatch(value):
            reason = "its secret is not the credential alone, as plain text"
            raise _credential_missing(target, stage, reason)
        return value


class ParsedSecret[T]:
    """Reads and parses a secret, at first use and then every five minutes.

    `parse` raises CredentialMissing for a text that it cannot use.
    """

    def __init__(
        self,
        client: "SecretsManager | SecretsManagerClient",
        arn: str,
        parse: Callable[[str], T],
        clock: Clock = time.time,
    ) -> None:
        self._client = client
        self._arn = arn
        self._parse = parse
        self._cached: TTLCache[str, T] = TTLCache(1, FRESH_SECONDS, clock)

    def get(self) -> T:
        """Return the value; raise CredentialMissing, whose text is the reason alone."""
        value = self._cached.get(self._arn)
        if value is None:
            value = self._cached[self._arn] = self._parse(self._read())
        return value

    def _read(self) -> str:
        try:
            secret = self._client.get_secret_value(SecretId=self._arn)
        except (BotoCoreError, ClientError) as exc:
            raise CredentialMissing(_failure_reason(exc)) from exc
        return secret.get("SecretString", "")


type SecretHeaders = ParsedSecret[Mapping[str, str]]


def parse_headers(text: str) -> Mapping[str, str]:
    """Return the headers in a secret; raise CredentialMissing where it has none."""
    try:
        found = json.loads(text)
    except ValueError:
        found = None
    if not isinstance(found, dict) or not all(map(_is_header, found.values())):
        raise CredentialMissing("its secret is not a JSON object of headers")
    return found


def _is_header(value: object) -> bool:
    return isinstance(value, str) and HEADER_PATTERN.fullmatch(value) is not None


def _failure_reason(exc: BotoCoreError | ClientError) -> str:
    """Return why a secret was not read, for the operators of the gateway."""
    code = exc.response["Error"]["Code"] if isinstance(exc, ClientError) else ""
    return REASONS.get(code, "Secrets Manager did not answer")


def _credential_missing(target: str, stage: str, reason: str) -> CredentialMissing:
    logger.error("credential not read", extra={"target": target, "stage": stage, "reason": reason})
    return CredentialMissing(
        f"The gateway has no credential for its target '{target}': {reason}. "
        "Your key is valid; contact the operators of the gateway."
    )
