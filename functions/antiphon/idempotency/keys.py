"""What is read of a request: its Idempotency-Key, and a fingerprint of all that decides its answer.

https://datatracker.ietf.org/doc/draft-ietf-httpapi-idempotency-key-header
"""

import hashlib
import re

from antiphon.errors import InvalidRequest
from antiphon.http import Request

NAME = "Idempotency-Key"
KEY = re.compile(r"[!-~]{1,255}")
DECIDING = ("openai-beta", "x-ms-oai-image-generation-deployment")  # headers that change an answer


def key_of(request: Request) -> str | None:
    """Raise InvalidRequest for what is no key."""
    key = request.headers.get(NAME.lower())
    if key is not None and not KEY.fullmatch(key):
        message = f"Invalid '{NAME}': expected 1 to 255 visible ASCII characters."
        raise InvalidRequest(message, param=NAME, code="invalid_value")
    return key


def fingerprint(request: Request) -> str:
    """Bytes are compared, for two readings of one body may differ: see schema.document."""
    deciding = [request.headers.get(name, "") for name in DECIDING]
    digest = hashlib.sha256()
    for part in (request.method, request.query, *deciding):
        digest.update(hashlib.sha256(part.encode()).digest())  # of one length: no two run together
    digest.update(request.body)
    return digest.hexdigest()
