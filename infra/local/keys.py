"""The API keys that the gateway on this machine accepts."""

import re
import secrets
from collections.abc import Iterator
from dataclasses import dataclass

VARIABLE = "ANTIPHON_LOCAL_KEYS"
_KEY = re.compile(r"[A-Za-z0-9_-]{8,128}")
_TENANT = re.compile(r"[A-Za-z0-9_.-]{1,64}")


class BadKeys(ValueError):
    """ANTIPHON_LOCAL_KEYS is not what it should be."""


@dataclass(frozen=True)
class LocalKey:
    tenant: str
    key: str


def read(text: str | None) -> list[LocalKey]:
    """Read `tenant=key,tenant=key`; without any, make one random key for tenant `local`."""
    if not text or not text.strip():
        return [LocalKey("local", secrets.token_urlsafe(24))]
    keys = list(_parsed(text))
    if len({key.key for key in keys}) < len(keys):
        raise BadKeys(f"{VARIABLE}: the same key stands there twice.")
    return keys


def _parsed(text: str) -> Iterator[LocalKey]:
    for position, pair in enumerate(text.split(","), 1):
        tenant, equals, key = pair.strip().partition("=")
        if not (equals and _TENANT.fullmatch(tenant) and _KEY.fullmatch(key)):
            # The pair itself is not shown: it may be a key that works elsewhere.
            raise BadKeys(
                f"{VARIABLE}: entry {position} is not tenant=key with a key of 8 to 128 characters "
                "of A-Z a-z 0-9 _ -."
            )
        yield LocalKey(tenant, key)
