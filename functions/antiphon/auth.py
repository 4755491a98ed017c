"""Authentication: finds the Caller of a request by its API key."""

import re
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from hashlib import sha256
from typing import Protocol

from cachetools import TTLCache

from antiphon.errors import PolicyViolation, Unauthenticated
from antiphon.http import Request
from antiphon.settings.config import UNLIMITED, Limits
from antiphon.settings.targets import matches_pattern

KEY_PATTERN = re.compile(r"[A-Za-z0-9_-]{8,128}")
TOKEN_PATTERN = re.compile(r"[A-Za-z0-9_-]{1,8192}(?:\.[A-Za-z0-9_-]{1,8192}){2}")  # RFC 7515, 7.1
LETTERS = re.compile(r"[A-Za-z0-9_-]+")
BEARER = re.compile(r"bearer(?: |\Z)", re.IGNORECASE)
AS_HEADERS = "as 'Authorization: Bearer KEY' or 'api-key: KEY'"
INCORRECT = "Incorrect API key provided."
NO_BEARER = (
    f"{INCORRECT} The value of 'Authorization' does not begin with 'Bearer '. Send a key of this "
    f"gateway {AS_HEADERS}."
)
NO_POLICY = (
    "This key has the policy '{}', which is not in gateway.toml of this gateway. Its operators "
    "must add it, or change the key."
)
CACHED_KEYS = 10_000
REFUSAL_SECONDS = 5.0  # for which a refused key stays refused without another read


class KeyRecord(Protocol):
    """What the store holds about a key."""

    @property
    def id(self) -> str: ...
    @property
    def tenant(self) -> str: ...
    @property
    def models(self) -> tuple[str, ...] | None: ...
    @property
    def limits(self) -> Limits: ...
    @property
    def valid_until(self) -> float: ...  # epoch seconds


class KeyStore(Protocol):
    def get(self, key: str) -> KeyRecord | None: ...


@dataclass(frozen=True)
class Caller:
    """The tenant and the key that a request is made with."""

    tenant: str
    key_id: str
    models: tuple[str, ...] | None = None  # names and patterns that the key may call; None: all
    limits: Limits = UNLIMITED  # of the key

    def may_call(self, model: str) -> bool:
        return self.models is None or any(
            matches_pattern(allowed, model) for allowed in self.models
        )


class Auth:
    """Identifies callers; caches keys, so that most requests read no row.

    A revoked key is refused after `cache_seconds` at the latest, an expired key at once.
    `clock` returns epoch seconds. It times the caches too: a monotonic clock may stop while Lambda
    freezes the process.
    """

    def __init__(
        self,
        keys: KeyStore,
        cache_seconds: float,
        clock: Callable[[], float] = time.time,
        tokens: KeyStore | None = None,
        policies: Collection[str] = (),
    ) -> None:
        """`tokens`: what verifies the tokens of an OpenID Connect provider, if one is set.

        `policies`: the names of those that keys may have.
        """
        self._keys = keys
        self._tokens = tokens
        self._clock = clock
        self._policies = policies
        self._valid: TTLCache[str, tuple[KeyRecord, float]] = TTLCache(
            CACHED_KEYS, cache_seconds, clock
        )
        self._refused: TTLCache[str, bool] = TTLCache(
            CACHED_KEYS, min(cache_seconds, REFUSAL_SECONDS), clock
        )

    def identify(self, request: Request) -> Caller:
        """Raise Unauthenticated without a valid key, Unavailable if keys cannot be read.

        Raise PolicyViolation for a key whose policy does not exist.
        """
        credential = _read_credential(request)
        store = self._store_for(credential)
        record = self._find_valid(credential, store)
        if record is None:
            raise Unauthenticated(f"{INCORRECT} Use a key of this gateway, {AS_HEADERS}.")
        request.metrics.fields.update(tenant=record.tenant, key_id=record.id)
        policy = record.limits.policy
        if policy is not None and policy not in self._policies:
            raise PolicyViolation(NO_POLICY.format(policy))
        return Caller(record.tenant, record.id, record.models, record.limits)

    def _store_for(self, credential: str) -> KeyStore:
        """Return what knows a token or a key; raise Unauthenticated for what is neither."""
        if self._tokens is not None and TOKEN_PATTERN.fullmatch(credential):
            return self._tokens
        if not KEY_PATTERN.fullmatch(credential):
            raise Unauthenticated(f"{INCORRECT} {_describe_malformed(credential)}")
        return self._keys

    def _find_valid(self, key: str, store: KeyStore) -> KeyRecord | None:
        """Return the record of a key that is valid now."""
        digest = sha256(key.encode()).hexdigest()  # not truncated: a part could collide
        if digest in self._refused:
            return None
        cached = self._valid.get(digest)
        record, valid_until = cached or _load(key, store)
        if record is None or self._clock() >= valid_until:
            self._valid.pop(digest, None)
            self._refused[digest] = True
            return None
        if cached is None:  # use must not extend the time in the cache
            self._valid[digest] = record, valid_until
        return record


def _load(key: str, store: KeyStore) -> tuple[KeyRecord | None, float]:
    record = store.get(key)
    return record, 0.0 if record is None else record.valid_until


def _read_credential(request: Request) -> str:
    """Return the key or token of a request; raise Unauthenticated for none and for two of them."""
    authorization = request.headers.get("authorization")
    if authorization is not None and not BEARER.match(authorization):
        raise Unauthenticated(NO_BEARER)
    token = None if authorization is None else authorization[len("bearer") :].strip(" ")
    keys = {token, request.headers.get("api-key")} - {None}
    if not keys:
        raise Unauthenticated(f"You didn't provide an API key. Send one {AS_HEADERS}.")
    key = keys.pop() or ""
    if keys:
        raise Unauthenticated(f"{INCORRECT} The headers 'authorization' and 'api-key' differ.")
    return key


def _describe_malformed(key: str) -> str:
    """Say what is wrong with it, and nothing of what it is."""
    if not key:
        return "The header has no key."
    size = (
        f"This one has {len(key)}." if LETTERS.fullmatch(key) else "This one has other characters."
    )
    return f"A key of this gateway has 8 to 128 letters, digits, '_' and '-'. {size}"
