"""What a failed exchange with a provider means, and why a provider could not be reached."""

import socket
import ssl

import httpx

from antiphon.errors import (
    GatewayError,
    InvalidRequest,
    UpstreamFailed,
    UpstreamNotReached,
    UpstreamTimeout,
)


class ProxyFailed(OSError):
    """The proxy opened no connection to the provider."""


NOTHING_SENT = (httpx.ConnectError, httpx.ConnectTimeout)
# By the cause of a failed connection; the more special one first.
REASONS: tuple[tuple[type[BaseException], str], ...] = (
    (ProxyFailed, "the proxy does not open a connection"),
    (socket.gaierror, "its host name cannot be resolved (DNS)"),
    (ssl.SSLCertVerificationError, "its TLS certificate is not trusted"),
    (ssl.SSLError, "the TLS handshake fails"),
    (ConnectionRefusedError, "the connection is refused"),
    (TimeoutError, "no connection is made in time"),
    (ValueError, "its host name is invalid"),
)


def translate_error(exc: httpx.RequestError) -> GatewayError:
    """Return the gateway's error for a failed exchange with a provider."""
    if isinstance(exc, NOTHING_SENT):
        return UpstreamNotReached(
            f"The provider could not be reached: {_reason(exc.__cause__)}. Nothing was sent."
        )
    if isinstance(exc, (httpx.LocalProtocolError, httpx.UnsupportedProtocol)):
        return InvalidRequest("A header or the query of the request cannot be sent on.")
    if isinstance(exc, httpx.TimeoutException):
        return UpstreamTimeout("The provider did not answer in time.")
    return UpstreamFailed("The connection to the provider broke before its answer was complete.")


def _reason(cause: BaseException | None) -> str:
    for kind, reason in REASONS:
        if isinstance(cause, kind):
            return reason
    return "the connection fails"
