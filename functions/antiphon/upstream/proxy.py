"""Connections to providers by an HTTP proxy: a tunnel that urllib3 opens (RFC 9110, 9.3.6)."""

import socket
import ssl
from base64 import b64encode
from http.client import HTTPException
from typing import Any, cast
from urllib.parse import unquote, urlsplit
from urllib.request import proxy_bypass_environment  # type: ignore[attr-defined]  # no stub

from urllib3.connection import HTTPSConnection, ProxyConfig
from urllib3.exceptions import ConnectTimeoutError, HTTPError

from antiphon.upstream.faults import ProxyFailed
from antiphon.upstream.http1 import PORTS


class Proxy:
    """Used for https, except for hosts that NO_PROXY names; plain http is loopback only."""

    def __init__(self, url: str, tls: ssl.SSLContext, no_proxy: str = "") -> None:
        """`no_proxy` lists hosts as the variable NO_PROXY does."""
        parts = urlsplit(url)
        if parts.scheme not in PORTS or not parts.hostname:
            raise ValueError("A proxy's address must be one such as http://proxy.example:3128.")
        self._scheme, self._host = parts.scheme, parts.hostname
        self._port = parts.port or PORTS[parts.scheme]
        self._tls = tls
        self._no_proxy = {"no": no_proxy}
        self._headers: dict[str, str] = {}
        if parts.username is not None:
            credential = unquote(f"{parts.username}:{parts.password or ''}").encode()
            self._headers["Proxy-Authorization"] = f"Basic {b64encode(credential).decode()}"

    def serves(self, scheme: str, host: str) -> bool:
        return scheme == "https" and not proxy_bypass_environment(host, self._no_proxy)

    def connect(self, host: str, port: int, seconds: float | None) -> socket.socket:
        """Return a TLS connection to the host, after at most so many seconds for each step.

        Raise TimeoutError or OSError; their text has nothing that the proxy sent.
        """
        connection = HTTPSConnection(
            self._host,
            self._port,
            timeout=seconds,
            ssl_context=self._tls,
            proxy_config=ProxyConfig(
                ssl_context=self._tls,
                use_forwarding_for_https=False,
                assert_hostname=None,
                assert_fingerprint=None,
            ),
        )
        connection.set_tunnel(host, port, self._headers, self._scheme)
        try:
            connection.connect()
        except (TimeoutError, ConnectTimeoutError):
            connection.close()
            raise TimeoutError("The proxy did not open a connection in time.") from None
        except (OSError, HTTPError, HTTPException):
            connection.close()
            raise ProxyFailed("The proxy did not open a connection.") from None
        opened: Any = connection.sock
        opened.suppress_ragged_eofs = False  # a response may have been cut there
        return cast("socket.socket", opened)
