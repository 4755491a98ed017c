"""Bearer tokens that a token endpoint gives for a proof of identity, and their cache.

https://www.rfc-editor.org/rfc/rfc6749#section-5
"""

import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import Annotated

import httpx
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from antiphon.errors import CredentialMissing
from antiphon.observability import logger
from antiphon.store.secrets import Clock, Credential, CredentialCache
from antiphon.upstream.documents import OK, send_small

RENEW_SECONDS, RENEW_SHARE = 300.0, 0.1  # a token is renewed before its end by the smaller one

type Details = Mapping[str, object]  # more for the log's line


class TokenAnswer(BaseModel):
    # Built with the first token: most gateways get none.
    model_config = ConfigDict(strict=True, hide_input_in_errors=True, defer_build=True)


class Token(TokenAnswer):
    """RFC 6749, 5.1; the pattern allows only what may stand in a header."""

    token_type: Annotated[str, StringConstraints(pattern=r"^(?i:bearer)$")]
    access_token: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._~+/-]+=*$")] = Field(
        repr=False
    )
    expires_in: int = Field(gt=0, le=172_800)  # seconds


class TokenEndpoint:
    """One issuer of tokens. Logs no secret, proof or token, and none of its own messages."""

    def __init__(
        self,
        issuer: str,
        refusal: Callable[[bytes], "Refusal"],
        transport: httpx.BaseTransport,
        clock: Clock = time.monotonic,
    ) -> None:
        """`refusal` reads the body of an error; it raises ValidationError for what is none."""
        self._issuer = issuer
        self._refusal = refusal
        self._transport = transport
        self._clock = clock

    def fetch(self, target: str, request: httpx.Request, details: Details | None = None) -> Token:
        """Raise ProofRefused, or CredentialMissing for every other failure."""
        try:
            status, body = send_small(self._transport, request, self._clock)
        except httpx.RequestError as exc:
            text = self._log(target, "it did not answer", type(exc).__name__)
            raise CredentialMissing(text) from exc
        if status != OK:
            raise self._refused(target, status, body, details or {})
        try:
            return Token.model_validate_json(body)
        except ValidationError as exc:
            raise CredentialMissing(self._log(target, "its answer is not a token")) from exc

    def _refused(
        self, target: str, status: int, body: bytes, details: Details
    ) -> CredentialMissing:
        try:
            refusal = self._refusal(body)
        except ValidationError:
            reason = f"it answered with status {status}"
            return CredentialMissing(self._log(target, reason, "", details))
        kind = ProofRefused if refusal.is_about_proof else CredentialMissing
        return kind(self._log(target, refusal.reason, refusal.code, details))

    def _log(self, target: str, reason: str, code: str = "", details: Details | None = None) -> str:
        """Log why there is no token; return the message for the caller."""
        extra = {"target": target, "reason": reason, "code": code, **(details or {})}
        logger.error("token missing", extra=extra)
        detail = f"{reason} ({code})" if code else reason
        return (
            f"{self._issuer} gives no token for the gateway's target '{target}': {detail}. "
            "Your key is valid; contact the operators of the gateway."
        )


class Refusal(BaseModel):
    """Why an issuer gives no token, in words of the gateway's own."""

    model_config = ConfigDict(defer_build=True)

    reason: str  # what the operator must correct
    code: str
    is_about_proof: bool = False  # whether another proof may be accepted


class ProofRefused(CredentialMissing):
    """The issuer does not accept the client secret or the assertion."""


class TokenCache:
    """Caches each target's token until shortly before its end, and in an outage until its end."""

    def __init__(
        self, fetches: Mapping[str, Callable[[], Token]], clock: Clock = time.time
    ) -> None:
        """`fetches`: by target, for the targets that have tokens."""
        self._clock = clock
        self.targets = frozenset(fetches)
        self._caches = {
            name: CredentialCache(partial(self._fetch, fetch), clock)
            for name, fetch in fetches.items()
        }

    def get(self, target: str) -> str:
        """Raise CredentialMissing with what the operator must correct."""
        return self._caches[target].get()

    def renew(self, target: str, rejected: str) -> str | None:
        """Return another token than the rejected one; None where there is none now."""
        return self._caches[target].renew(rejected)

    def _fetch(self, fetch: Callable[[], Token], _rejected: str | None) -> Credential:
        now = self._clock()  # before the request: the token's life does not begin earlier
        token = fetch()
        ends_at = now + token.expires_in
        renew_at = ends_at - min(RENEW_SECONDS, RENEW_SHARE * token.expires_in)
        return Credential(token.access_token, renew_at, ends_at)
