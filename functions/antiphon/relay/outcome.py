"""What became of one attempt: an answer or a fault, and what follows from it."""

import time
from email.utils import parsedate_to_datetime

from antiphon.errors import (
    CredentialMissing,
    GatewayError,
    UpstreamFailed,
    UpstreamNotReached,
    UpstreamRefusedUs,
)
from antiphon.providers import Step
from antiphon.providers.saying import Saying
from antiphon.relay.answer import Answer

type Outcome = Answer | GatewayError

BUSY = {429, 503}  # refused before anything was begun
REFUSED_US = {401, 403}
INVALID, UNKNOWN, FAILED = 400, 404, 500
OUR_END = "gateway_deadline"
LONGEST_REST = 900.0  # seconds that a target's own word counts for
NOT_SENT = (UpstreamNotReached, UpstreamRefusedUs, CredentialMissing)


def started_nothing(outcome: Outcome, step: Step) -> bool:
    """Whether the target certainly did not begin, so that asking another one pays nothing twice.

    Everything else is left as it is: whoever asks again after a 500, a time-out or a cut may pay
    for two answers.
    """
    if isinstance(outcome, GatewayError):
        return isinstance(outcome, NOT_SENT)
    if outcome.status in BUSY | REFUSED_US:
        return True
    if outcome.status not in {INVALID, UNKNOWN}:
        return False
    said = Saying.of(outcome.whole)
    if outcome.status == INVALID:  # said of what is in the request, mostly
        return said.misses_model or said.refuses_foreign_content
    return step.model is not None and not said.about_the_request


def hope(outcome: Outcome) -> int:
    """How little there is for the caller in being told this, where every target has refused."""
    if isinstance(outcome, Answer):
        return 0 if outcome.status in BUSY else 3 if outcome.status in REFUSED_US else 2
    return 1 if isinstance(outcome, UpstreamNotReached) else 3


def is_failure(outcome: Outcome) -> bool:
    """Whether it speaks against the target's health rather than of the request."""
    if isinstance(outcome, GatewayError):
        return isinstance(outcome, UpstreamFailed) and outcome.code != OUR_END
    return outcome.status in BUSY | REFUSED_US or outcome.status >= FAILED


def rest(outcome: Outcome) -> float | None:
    """For how many seconds a target wants to be left alone, where it says so."""
    if isinstance(outcome, GatewayError) or outcome.status not in BUSY:
        return None
    told = _milliseconds(outcome.headers.get("retry-after-ms", ""))
    told = told if told is not None else _seconds(outcome.headers.get("retry-after", ""))
    return None if told is None or told <= 0 else min(told, LONGEST_REST)


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
