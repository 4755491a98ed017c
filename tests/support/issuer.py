"""A fake OpenID Connect provider: its discovery document, its public keys, and tokens."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec
from jwt.algorithms import ECAlgorithm

from antiphon.errors import Unavailable
from antiphon.oidc import DISCOVERY
from tests.support.http_server import JSON, HttpAnswer, serve_http

AUDIENCE, SUBJECT = "https://antiphon.example", "app-7"
KEYS_PATH = "/keys"


class SigningKey:
    """A pair of keys on the curve P-256, which is quick to make."""

    def __init__(self, id: str) -> None:
        self.id = id
        self.private = ec.generate_private_key(ec.SECP256R1())

    def public(self) -> dict[str, Any]:
        document = ECAlgorithm.to_jwk(self.private.public_key(), as_dict=True)
        return {**document, "kid": self.id, "use": "sig", "alg": "ES256"}


class FakeIssuer:
    """Signs tokens with its current key; `documents` is what it serves, by path."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.requests: list[str] = []
        self.is_down = False
        self.key = SigningKey("first")
        self.documents: dict[str, Any] = {
            DISCOVERY: {"issuer": address, "jwks_uri": f"{address}{KEYS_PATH}"}
        }
        self.publish(self.key)

    def publish(self, *keys: SigningKey) -> None:
        self.documents[KEYS_PATH] = {"keys": [key.public() for key in keys]}

    def rotate(self) -> None:
        """Sign with another key, which alone is published."""
        self.key = SigningKey(f"{self.key.id}'")
        self.publish(self.key)

    def token(self, *, key: SigningKey | None = None, ago: float = 0.0, **claims: Any) -> str:
        """Return a token of a minute, signed that many seconds ago; None leaves a claim out."""
        now = time.time() - ago
        usual = {
            "iss": self.address,
            "aud": AUDIENCE,
            "sub": SUBJECT,
            "iat": int(now),
            "exp": int(now) + 60,
            "tenant": "acme",
        }
        content = {name: v for name, v in {**usual, **claims}.items() if v is not None}
        signer = key or self.key
        return jwt.encode(content, signer.private, "ES256", {"kid": signer.id})

    def fetch(self, url: str) -> bytes:
        if self.is_down:
            raise Unavailable("It does not answer.")
        path = url.removeprefix(self.address)
        self.requests.append(path)
        return json.dumps(self.documents[path]).encode()


@contextmanager
def run_issuer() -> Iterator[FakeIssuer]:
    with serve_http(lambda request: HttpAnswer(200, issuer.fetch(request.path), JSON)) as address:
        issuer = FakeIssuer(address)
        yield issuer
