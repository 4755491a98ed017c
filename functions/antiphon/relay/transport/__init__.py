"""HTTP/1.1 as a client speaks it, strictly, and no more of it than the relay needs."""

from antiphon.relay.transport.client import Client
from antiphon.relay.transport.connection import Patience
from antiphon.relay.transport.errors import (
    ConnectError,
    ReadTimeout,
    TransportError,
    Unsendable,
    WriteTimeout,
)
from antiphon.relay.transport.outgoing import Outgoing
from antiphon.relay.transport.response import Response

__all__ = [
    "Client",
    "ConnectError",
    "Outgoing",
    "Patience",
    "ReadTimeout",
    "Response",
    "TransportError",
    "Unsendable",
    "WriteTimeout",
]
