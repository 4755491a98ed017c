"""What a provider's failure means to the caller, and whether it may have been paid for."""

import re

from antiphon.errors import (
    GatewayError,
    InvalidRequest,
    UpstreamFailed,
    UpstreamNotReached,
    UpstreamTimeout,
)
from antiphon.providers.provider import Candidate
from antiphon.relay.transport.errors import (
    ConnectError,
    ReadTimeout,
    TransportError,
    Unsendable,
    WriteTimeout,
)
from antiphon.relay.transport.response import Response

REDIRECTS = range(300, 400)
PROVIDER_IDS = re.compile(rb"\b(org|proj)[-_][A-Za-z0-9]{8,}\b")


def deadline_reached() -> GatewayError:
    fault = UpstreamTimeout("The gateway's own time limit for one call is reached.")
    fault.code = "gateway_deadline"
    return fault


def translate_error(exc: TransportError) -> GatewayError:
    """The refusal for a failed exchange with a provider."""
    if isinstance(exc, ConnectError):
        return UpstreamNotReached("The provider could not be reached; nothing was sent.")
    if isinstance(exc, Unsendable):
        return InvalidRequest("A header or the query of the request cannot be sent on.")
    if isinstance(exc, (ReadTimeout, WriteTimeout)):
        return UpstreamTimeout("The provider did not answer in time.")
    return UpstreamFailed("The connection to the provider broke before its answer was complete.")


def check_redirect(response: Response) -> None:
    """Raise for an answer that would have the gateway show its credential elsewhere."""
    if response.status in REDIRECTS:
        raise UpstreamFailed("The provider answered with a redirect, which is not followed.")


def caller_error_body(step: Candidate, status: int, body: bytes) -> bytes:
    """A provider's error as the caller may see it: in OpenAI's shape, without the account's ids."""
    if not body.strip():
        text = f"The provider answered with status {status} and no body."
        return GatewayError(text).body()
    return PROVIDER_IDS.sub(rb"\1-redacted", step.provider.complete(status, body))
