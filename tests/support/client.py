"""The HTTP client that providers are asked with, as tests need it: over plain HTTP."""

import ssl
from collections.abc import Iterator
from contextlib import contextmanager

from antiphon.relay.transport.client import Client

NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # it trusts nobody
IDLE_SECONDS = 20.0


@contextmanager
def plain_client(idle_seconds: float = IDLE_SECONDS) -> Iterator[Client]:
    made = Client(NO_TLS, idle_seconds)
    try:
        yield made
    finally:
        made.close()
