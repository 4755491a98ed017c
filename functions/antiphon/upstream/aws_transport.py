"""Sends calls of AWS services over the transport that serves the providers, too."""

import time
from dataclasses import dataclass
from typing import cast

import httpx

from antiphon.store.aws_api import AwsAnswer, AwsRequest, NoAnswer, NotSent
from antiphon.upstream.http1 import build_request

NOT_SENT = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.LocalProtocolError,
    httpx.UnsupportedProtocol,
)


@dataclass(frozen=True)
class AwsTransport:
    """One attempt of one call; the connection is used again."""

    transport: httpx.BaseTransport

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
            sent = build_request("POST", request.url, request.headers, request.body, limits)
            response = self.transport.handle_request(sent)
            body = _read(response)
        except NOT_SENT as exc:
            raise NotSent(error=exc) from exc
        except httpx.RequestError as exc:
            raise NoAnswer(error=exc) from exc
        return AwsAnswer(response.status_code, response.headers, body)


def _read(response: httpx.Response) -> bytes:
    try:
        # Not `read`, which looks for codings that the transport has removed.
        return b"".join(cast("httpx.SyncByteStream", response.stream))
    finally:
        response.close()
