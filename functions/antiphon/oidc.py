"""Tokens of an OpenID Connect provider, accepted in place of keys where `[auth.jwt]` is set.

RFC 7519, RFC 7517; https://openid.net/specs/openid-connect-discovery-1_0.html
"""

import re
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import jwt
from jwt import PyJWK, PyJWKSet, PyJWTError
from jwt import exceptions as refused
from pydantic import BaseModel

from antiphon.errors import Unauthenticated, Unavailable
from antiphon.observability import logger
from antiphon.settings.addresses import BaseUrl
from antiphon.settings.config import UNLIMITED, Jwt, Limits

DISCOVERY = "/.well-known/openid-configuration"
# Asymmetric ones alone: who can check such a token cannot make one.
ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512")
REQUIRED = ["exp", "iss", "aud", "sub"]
TENANT = re.compile(r"[A-Za-z0-9_.-]{1,64}")  # as in gateway.toml
MODEL = re.compile(r"[!-~]{1,256}")
MAX_MODELS = 100
FRESH_SECONDS = 3_600.0  # the keys are used without another request
STALE_SECONDS = 86_400.0  # they may be used while the provider does not answer
PAUSE_SECONDS = 30.0  # between two requests, whichever keys tokens name
FAILURE_PAUSE_SECONDS = 1.0  # after one that failed, where there are no keys at all
REASONS: dict[type[Exception], str] = {
    refused.ExpiredSignatureError: "it has expired",
    refused.ImmatureSignatureError: "it is not valid yet",
    refused.InvalidAudienceError: "its audience is another one",
    refused.InvalidIssuerError: "its issuer is another one",
    refused.InvalidSignatureError: "its signature is wrong",
    refused.InvalidAlgorithmError: "its algorithm is not that of the key",
}


@dataclass(frozen=True)
class TokenRecord:
    """What a token says of its caller. Its id stands for the subject, and may be logged."""

    id: str
    tenant: str
    models: tuple[str, ...] | None
    valid_until: float  # epoch seconds
    limits: Limits = UNLIMITED  # those of the tenant apply


class Discovery(BaseModel):
    """OpenID Connect Discovery, 3."""

    issuer: BaseUrl
    jwks_uri: BaseUrl


class KeySet(BaseModel):
    """RFC 7517, 5."""

    keys: list[dict[str, Any]]


class Tokens:
    """Verifies tokens.

    `fetch` returns the JSON document at an address; it raises Unavailable. `on_valid` is called for
    each valid token: as for keys, that is the occasion to read the circuits.
    """

    def __init__(
        self,
        settings: Jwt,
        fetch: Callable[[str], bytes],
        clock: Callable[[], float] = time.time,
        on_valid: Callable[[], None] = lambda: None,
    ) -> None:
        self._settings = settings
        self._on_valid = on_valid
        self._keys = SigningKeys(settings, fetch, clock)

    def get(self, token: str) -> TokenRecord:
        """Raise Unauthenticated with the reason, and Unavailable where no key can be read."""
        try:
            record = self._read(token)
        except PyJWTError as exc:
            raise _refusal(REASONS.get(type(exc), "it is malformed")) from exc
        self._on_valid()
        return record

    def _read(self, token: str) -> TokenRecord:
        settings = self._settings
        key = self._keys.find(jwt.get_unverified_header(token).get("kid"))
        claims = jwt.decode(
            token,
            key,
            ALGORITHMS,
            {"require": REQUIRED},
            audience=settings.audience,
            issuer=(settings.issuer, f"{settings.issuer}/"),  # the setting has lost its slash
            leeway=settings.leeway_seconds,
        )
        subject = sha256(claims["sub"].encode(errors="surrogatepass")).hexdigest()[:16]
        models = None if settings.models_claim is None else _models(claims, settings.models_claim)
        ends_at = int(claims["exp"]) + settings.leeway_seconds  # as the library reads it
        return TokenRecord(
            f"jwt_{subject}", _tenant(claims, settings.tenant_claim), models, ends_at
        )


class SigningKeys:
    """The provider's public keys: one thread reads them while the others wait."""

    def __init__(
        self, settings: Jwt, fetch: Callable[[str], bytes], clock: Callable[[], float]
    ) -> None:
        self._settings = settings
        self._fetch = fetch
        self._clock = clock
        self._lock = threading.Lock()
        self._keys: dict[str | None, PyJWK] = {}
        self._read_at = self._next_read = float("-inf")

    def find(self, id: object) -> PyJWK:
        """Return the key that a token names; a token that names none may mean the only one.

        An unknown key is the occasion to read them anew: providers rotate their keys.
        """
        id = id if isinstance(id, str) else None
        if id not in self._keys or self._is_older_than(FRESH_SECONDS):
            with self._lock:
                self._refresh()
        keys = self._keys
        if not keys:
            raise Unavailable("The gateway cannot read the signing keys of tokens.")
        if id not in keys:
            raise _refusal("its issuer has no such signing key")
        return keys[id]

    def _is_older_than(self, seconds: float) -> bool:
        return self._clock() >= self._read_at + seconds

    def _refresh(self) -> None:
        """Read the keys, unless another thread just has."""
        now = self._clock()
        if now < self._next_read:
            return
        self._next_read = now + PAUSE_SECONDS
        try:
            self._keys, self._read_at = dict(self._read()), now
        except (Unavailable, ValueError, PyJWTError) as exc:
            about = {"issuer": self._settings.issuer, "reason": type(exc).__name__}
            logger.error("signing keys not read", extra=about)
            if self._is_older_than(STALE_SECONDS):
                self._keys, self._next_read = {}, now + FAILURE_PAUSE_SECONDS

    def _read(self) -> Iterator[tuple[str | None, PyJWK]]:
        """Yield each key for signatures by its id, and the only one also without."""
        address = self._settings.jwks_url or self._discover()
        found = KeySet.model_validate_json(self._fetch(address)).keys
        for_signatures = [key for key in found if key.get("use") in {None, "sig"}]
        keys = [key for key in PyJWKSet(for_signatures).keys if key.algorithm_name in ALGORITHMS]
        yield from ((key.key_id, key) for key in keys)
        if len(keys) == 1:
            yield None, keys[0]

    def _discover(self) -> str:
        document = Discovery.model_validate_json(self._fetch(self._settings.issuer + DISCOVERY))
        if document.issuer != self._settings.issuer:
            raise ValueError("The discovery document is that of another issuer.")
        return document.jwks_uri


def _tenant(claims: Mapping[str, Any], name: str) -> str:
    tenant = claims.get(name)
    if not isinstance(tenant, str) or not TENANT.fullmatch(tenant):
        raise _refusal(f"its claim '{name}' is not the name of a tenant")
    return tenant


def _models(claims: Mapping[str, Any], name: str) -> tuple[str, ...]:
    """Read a list of names and patterns, or one string with spaces between them."""
    models = claims.get(name)
    listed = models.split() if isinstance(models, str) else models
    if not isinstance(listed, list) or len(listed) > MAX_MODELS:
        raise _refusal(f"its claim '{name}' is not a list of models")
    if not all(isinstance(each, str) and MODEL.fullmatch(each) for each in listed):
        raise _refusal(f"its claim '{name}' is not a list of models")
    return tuple(listed)


def _refusal(reason: str) -> Unauthenticated:
    logger.warning("token refused", extra={"reason": reason})
    return Unauthenticated(f"Incorrect token: {reason}.")
