"""Sends one webhook to a URL that a tenant has chosen, and reads the status of the answer."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import httpx

from antiphon.upstream.http1 import request_head
from antiphon.upstream.resolver import AddressRefused
from antiphon.upstream.transport import Incoming, Outgoing

CONNECT_SECONDS = 5.0


@dataclass(frozen=True)
class WebhookAnswer:
    """The status of an answer, or why there is none."""

    status: int | None = None
    error: str | None = None


@dataclass(frozen=True)
class WebhookSender:
    """Follows no redirect. The answer's body is not read, and its connection is closed."""

    # Of a transport that connects to public addresses only; raises httpx's errors.
    exchange: Callable[[Outgoing], Incoming]
    seconds: float  # until the head of the answer is there

    def post(
        self, url: str, headers: Mapping[str, str], body: bytes, ends_at: float
    ) -> WebhookAnswer:
        """`ends_at` is in time.monotonic() seconds."""
        limits = {
            "timeout": {
                "connect": CONNECT_SECONDS,
                "write": self.seconds,
                "read": self.seconds,
                "pool": self.seconds,
            },
            "ends_at": min(ends_at, time.monotonic() + self.seconds),
        }
        try:
            parsed, head = request_head("POST", url, headers, len(body))
            found = self.exchange(Outgoing(parsed, "POST", head, body, limits))
        except httpx.RequestError as exc:
            return WebhookAnswer(error=_reason(exc))
        found.stream.close()
        return WebhookAnswer(status=found.parser.status)


def _reason(exc: httpx.RequestError) -> str:
    if isinstance(exc.__cause__, AddressRefused):
        return "address_not_public"
    if isinstance(exc, httpx.TimeoutException):
        return "timeout"
    return "not_connected" if isinstance(exc, httpx.ConnectError) else "no_answer"
