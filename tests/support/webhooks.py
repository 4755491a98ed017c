"""What a provider sends to report an end: an event, and headers that sign it."""

import base64
import hmac
import json
import time

KEY = b"the key of these tests, 32 bytes"


def make_secret(key: bytes = KEY) -> str:
    return f"whsec_{base64.b64encode(key).decode()}"


def make_report(id: str, type: str = "response.completed") -> bytes:
    event = {"id": f"evt_{id}", "object": "event", "created_at": 1_800_000_000}
    return json.dumps({**event, "type": type, "data": {"id": id}}).encode()


def sign(body: bytes, key: bytes = KEY, seconds: int = 0) -> dict[str, str]:
    """Headers that sign a body, so many seconds from now."""
    id, timestamp = "evt_1", str(int(time.time()) + seconds)
    digest = hmac.digest(key, f"{id}.{timestamp}.".encode() + body, "sha256")
    return {
        "content-type": "application/json",
        "webhook-id": id,
        "webhook-timestamp": timestamp,
        "webhook-signature": f"v1,{base64.b64encode(digest).decode()}",
    }
