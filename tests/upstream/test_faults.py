"""Why a provider could not be reached, in words that say where to look."""

import socket
import ssl

import httpx
import pytest

from antiphon.errors import UpstreamNotReached
from antiphon.upstream.faults import ProxyFailed, translate_error


@pytest.mark.parametrize(
    ("cause", "words"),
    [
        (socket.gaierror(-2, "x"), "its host name cannot be resolved (DNS)"),
        (ssl.SSLCertVerificationError("x"), "its TLS certificate is not trusted"),
        (ssl.SSLError("x"), "the TLS handshake fails"),
        (ConnectionRefusedError(), "the connection is refused"),
        (ProxyFailed("x"), "the proxy does not open a connection"),
        (UnicodeError(), "its host name is invalid"),
        (OSError(101, "x"), "the connection fails"),
        (None, "the connection fails"),
    ],
)
def test_the_cause_of_a_failed_connection_is_named(cause, words):
    exc = httpx.ConnectError("x")
    exc.__cause__ = cause
    error = translate_error(exc)
    assert isinstance(error, UpstreamNotReached)
    assert str(error) == f"The provider could not be reached: {words}. Nothing was sent."


def test_a_connection_that_takes_too_long_is_named():
    exc = httpx.ConnectTimeout("x")
    exc.__cause__ = TimeoutError()
    assert "no connection is made in time" in str(translate_error(exc))
