"""Webhooks that a provider sends: who signed one, and the end that it reports.

The signature is that of Standard Webhooks, with a secret of both sides:
https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

import base64
import hmac
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

SECRET_PREFIX = "whsec_"  # noqa: S105  what a secret begins with
TOLERANCE_SECONDS = 300  # between the time of a signature and ours
VERSION = "v1,"
TIMESTAMP = re.compile(r"[0-9]{1,12}")
ENDS = ("response.", "batch.")  # events about a response or a batch; all of them are ends


@dataclass(frozen=True)
class SignedBody:
    """What a webhook's signatures have been made of; `timestamp` is in epoch seconds."""

    id: str
    timestamp: str
    signatures: tuple[str, ...]  # as Base64; a secret that is being replaced has one, too
    body: bytes

    @classmethod
    def read(cls, headers: Mapping[str, str], body: bytes) -> Self | None:
        """Return what is signed; None where a header is missing or malformed."""
        id, timestamp = headers.get("webhook-id"), headers.get("webhook-timestamp", "")
        versioned = headers.get("webhook-signature", "").split()
        signatures = tuple(s.removeprefix(VERSION) for s in versioned if s.startswith(VERSION))
        if not id or not signatures or not TIMESTAMP.fullmatch(timestamp):
            return None
        return cls(id, timestamp, signatures, body)

    def is_timely(self, now: float) -> bool:
        return abs(now - int(self.timestamp)) <= TOLERANCE_SECONDS

    def is_signed_with(self, key: bytes) -> bool:
        signed = f"{self.id}.{self.timestamp}.".encode(errors="replace") + self.body
        expected = base64.b64encode(hmac.digest(key, signed, "sha256"))
        given = (signature.encode(errors="replace") for signature in self.signatures)
        return any(hmac.compare_digest(expected, each) for each in given)


def signing_key(secret: str) -> bytes:
    """Return the key of a secret such as `whsec_…`; raise ValueError for any other text."""
    encoded = secret.removeprefix(SECRET_PREFIX)
    key = base64.b64decode(encoded, validate=True) if encoded != secret else b""
    if not key:
        raise ValueError(f"A webhook's secret is {SECRET_PREFIX} and Base64.")
    return key


def read_ended_id(body: bytes) -> str | None:
    """Return the id of the response or batch whose end an event reports; None for other events."""
    try:
        event = json.loads(body)
    except (ValueError, RecursionError):
        return None
    match event:
        case {"type": str(type), "data": {"id": str(id)}} if type.startswith(ENDS):
            return id
    return None
