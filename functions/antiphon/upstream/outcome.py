"""What is asked of a target, and what it answers.

What became of one attempt: an answer or a fault, and what follows from it.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from email.utils import parsedate_to_datetime

from antiphon.errors import (
    CredentialMissing,
    GatewayError,
    UpstreamFailed,
    UpstreamNotReached,
    UpstreamRefusedUs,
)
from antiphon.http import Reply
from antiphon.providers.errors import ProviderError
from antiphon.providers.provider import Candidate
from antiphon.upstream.stream import UpstreamStream

MAX_CALL_SECONDS = 900.0  # seconds: Lambda's own limit for one call


@dataclass(frozen=True)
class UpstreamRequest:
    """What is asked; the path below a target's prefix is ours, never the caller's."""

    path: str
    body: bytes = b""
    spelled: Callable[[str | None], bytes] | None = None  # the body, by the target's model name
    streams: bool = False
    patience: float = MAX_CALL_SECONDS  # seconds until a whole answer must be there
    follows_new: bool = False  # on something so new that a provider may not know it yet

    def body_for(self, step: Candidate) -> bytes:
        return self.body if self.spelled is None else self.spelled(step.model)


@dataclass(frozen=True)
class UpstreamResponse:
    """What a target answered: whole, or from its first event on."""

    target: str
    status: int
    headers: Mapping[str, str]
    body: bytes | UpstreamStream

    @property
    def whole(self) -> bytes:
        """The body of an answer that does not stream."""
        return self.body if isinstance(self.body, bytes) else b""

    def with_headers(self, headers: Mapping[str, str]) -> "UpstreamResponse":
        return replace(self, headers={**self.headers, **headers})

    def reply(self) -> Reply:
        """Pass a whole answer on as it is."""
        return Reply(self.status, self.headers, self.whole)


type Outcome = UpstreamResponse | GatewayError

BUSY = {429, 503}  # refused before anything was begun
CREDENTIAL_REFUSED = {401, 403}
BAD_REQUEST, NOT_FOUND, SERVER_ERROR = 400, 404, 500
GATEWAY_DEADLINE = "gateway_deadline"
MAX_RETRY_AFTER_SECONDS = 900.0  # seconds that a target's own word counts for
NOT_SENT = (UpstreamNotReached, UpstreamRefusedUs, CredentialMissing)


def not_processed(outcome: Outcome, step: Candidate) -> bool:
    """Whether the target certainly did not begin, so that asking another one pays nothing twice.

    Everything else is left as it is: whoever asks again after a 500, a time-out or a cut may pay
    for two answers.
    """
    if isinstance(outcome, GatewayError):
        return isinstance(outcome, NOT_SENT)
    if outcome.status in BUSY | CREDENTIAL_REFUSED:
        return True
    if outcome.status not in {BAD_REQUEST, NOT_FOUND}:
        return False
    said = ProviderError.of(outcome.whole)
    if outcome.status == BAD_REQUEST:  # said of what is in the request, mostly
        return said.misses_model or said.refuses_foreign_content
    return step.model is not None and not said.about_the_request


def error_preference(outcome: Outcome) -> int:
    """How little there is for the caller in being told this, where every target has refused."""
    if isinstance(outcome, UpstreamResponse):
        return 0 if outcome.status in BUSY else 3 if outcome.status in CREDENTIAL_REFUSED else 2
    return 1 if isinstance(outcome, UpstreamNotReached) else 3


def counts_against_circuit(outcome: Outcome) -> bool:
    """Whether it speaks against the target's health rather than of the request."""
    if isinstance(outcome, GatewayError):
        return isinstance(outcome, UpstreamFailed) and outcome.code != GATEWAY_DEADLINE
    return outcome.status in BUSY | CREDENTIAL_REFUSED or outcome.status >= SERVER_ERROR


def retry_after(outcome: Outcome) -> float | None:
    """For how many seconds a target wants to be left alone, where it says so."""
    if isinstance(outcome, GatewayError) or outcome.status not in BUSY:
        return None
    told = _milliseconds(outcome.headers.get("retry-after-ms", ""))
    told = told if told is not None else _seconds(outcome.headers.get("retry-after", ""))
    return None if told is None or told <= 0 else min(told, MAX_RETRY_AFTER_SECONDS)


def _milliseconds(text: str) -> float | None:
    return float(text) / 1000 if text.replace(".", "", 1).isdecimal() else None


def _seconds(text: str) -> float | None:
    """RFC 9110, 10.2.3: seconds or a date."""
    if text.replace(".", "", 1).isdecimal():
        return float(text)
    try:
        return parsedate_to_datetime(text).timestamp() - time.time()
    except ValueError:
        return None
