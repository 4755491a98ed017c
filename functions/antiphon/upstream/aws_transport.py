"""Sends calls of AWS services over the transport that serves the providers, too."""

import time
from collections.abc import Callable
from dataclasses import dataclass

import httpx

from antiphon.store.aws_api import AwsAnswer, AwsRequest, NoAnswer, NotSent
from antiphon.upstream.http1 import request_head
from antiphon.upstream.transport import Incoming, Outgoing

NOT_SENT = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.LocalProtocolError,
    httpx.UnsupportedProtocol,
)


@dataclass(frozen=True, eq=False, repr=False)
class AwsTransport:
    """One attempt of one call; the connection is used again."""

    exchange: Callable[[Outgoing], Incoming]  # of a transport; raises httpx's errors

    def __call__(self, request: AwsRequest) -> AwsAnswer:
        """Raise NotSent, or NoAnswer where the service may have done what is requested."""
        timeouts = {
            "connect": request.connect_seconds,
            "write": request.read_seconds,
            "read": request.read_seconds,
        }
        # To connect, which the transport may try twice, takes from the time of the answer.
        limits = {"timeout": timeouts, "ends_at": time.monotonic() + request.read_seconds}
        try:
            place, head = request_head("POST", request.url, request.headers, len(request.body))
            found = self.exchange(Outgoing(place, "POST", head, request.body, limits))
            body = _read(found)
        except NOT_SENT as exc:
            raise NotSent(error=exc) from exc
        except httpx.RequestError as exc:
            raise NoAnswer(error=exc) from exc
        names = {name.lower().decode(): value for name, value in found.parser.headers}
        headers = {name: value.decode("latin-1") for name, value in names.items()}
        return AwsAnswer(found.parser.status, headers, body)


def _read(found: Incoming) -> bytes:
    try:
        return b"".join(found.stream)
    finally:
        found.stream.close()
