"""Who calls: a request's key becomes a Caller, or the request ends here."""

import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from typing import Protocol

from cachetools import TTLCache

from antiphon.errors import Unauthenticated
from antiphon.http import Request
from antiphon.settings.config import UNLIMITED, Limits, matches_pattern

KEY_PATTERN = re.compile(r"[A-Za-z0-9_-]{8,128}")
BEARER = re.compile(r"bearer +(\S+)", re.IGNORECASE)
CACHED_KEYS = 10_000
REFUSAL_SECONDS = 5.0


class KeyRecord(Protocol):
    """What is on record of a key."""

    @property
    def id(self) -> str: ...
    @property
    def tenant(self) -> str: ...
    @property
    def models(self) -> tuple[str, ...] | None: ...
    @property
    def limits(self) -> Limits: ...
    def is_valid_at(self, now: float) -> bool: ...


class KeyStore(Protocol):
    def get(self, key: str) -> KeyRecord | None: ...


@dataclass(frozen=True)
class Caller:
    tenant: str
    key_id: str
    models: tuple[str, ...] | None = None  # names and patterns it may call; None is every one
    limits: Limits = UNLIMITED  # of its key

    def may_call(self, model: str) -> bool:
        return self.models is None or any(
            matches_pattern(allowed, model) for allowed in self.models
        )


class Auth:
    """Knows a key again for a while, so that most requests read no row.

    A revoked key is refused once `seconds` have passed, one that ends is at that very moment.
    `clock` gives epoch seconds and times what is remembered, too: a monotonic clock may stand still
    while Lambda keeps the process frozen.
    """

    def __init__(
        self, keys: KeyStore, seconds: float, clock: Callable[[], float] = time.time
    ) -> None:
        self._keys = keys
        self._clock = clock
        self._known: TTLCache[str, KeyRecord] = TTLCache(CACHED_KEYS, seconds, clock)
        self._refused: TTLCache[str, bool] = TTLCache(
            CACHED_KEYS, min(seconds, REFUSAL_SECONDS), clock
        )

    def identify(self, request: Request) -> Caller:
        """Raise Unauthenticated without a valid key, Unavailable where keys cannot be read."""
        key = self._find(_presented_key(request))
        if key is None:
            raise Unauthenticated(
                "Incorrect API key provided. Use a key of this gateway, "
                "as 'Authorization: Bearer KEY' or 'api-key: KEY'."
            )
        return Caller(key.tenant, key.id, key.models, key.limits)

    def _find(self, key: str) -> KeyRecord | None:
        """What is on record of a key that is valid now."""
        hashed = sha256(key.encode()).hexdigest()  # whole: a part could collide
        if hashed in self._refused:
            return None
        known = self._known.get(hashed)
        found = known or self._keys.get(key)
        if found is None or not found.is_valid_at(self._clock()):
            self._known.pop(hashed, None)
            self._refused[hashed] = True
            return None
        if known is None:  # what is known already is not known for longer
            self._known[hashed] = found
        return found


def _presented_key(request: Request) -> str:
    """The one key of a request; several different ones are as wrong as none."""
    given = {_bearer(request), request.headers.get("api-key")} - {None}
    if not given:
        raise Unauthenticated(
            "You didn't provide an API key. Send one as 'Authorization: Bearer KEY' "
            "or 'api-key: KEY'."
        )
    key = given.pop() or ""
    if given or not KEY_PATTERN.fullmatch(key):
        raise Unauthenticated("Incorrect API key provided: it is not a single, well-formed key.")
    return key


def _bearer(request: Request) -> str | None:
    authorization = request.headers.get("authorization")
    if authorization is None:
        return None
    found = BEARER.fullmatch(authorization)
    return found[1] if found else ""
