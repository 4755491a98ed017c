"""Small answers of servers that are no providers: tokens, discovery documents, public keys."""

import time
from collections.abc import Callable

import httpx

from antiphon.errors import Unavailable
from antiphon.upstream.http1 import build_request

SECONDS = 5.0  # for the head, each read and write, and for the whole body of an answer
TIMEOUTS = {"connect": 2.0, "write": SECONDS, "read": SECONDS, "pool": 2.0}
MAX_ANSWER_BYTES = 65_536
OK = 200
HEADERS = {
    "accept": "application/json",
    "accept-encoding": "identity",
    "user-agent": "antiphon",
}

type Clock = Callable[[], float]  # seconds


class DocumentReader:
    """Gets JSON documents; redirects are not followed."""

    def __init__(self, transport: httpx.BaseTransport, clock: Clock = time.monotonic) -> None:
        self._transport = transport
        self._clock = clock

    def get(self, url: str) -> bytes:
        """Raise Unavailable where there is no such document, or no answer in time."""
        try:
            request = build_request("GET", url, HEADERS)
            status, body = send_small(self._transport, request, self._clock)
        except httpx.RequestError as exc:
            raise Unavailable(f"{url} did not answer: {type(exc).__name__}.") from exc
        if status != OK:
            raise Unavailable(f"{url} answered with status {status}.")
        return body


def send_small(
    transport: httpx.BaseTransport, request: httpx.Request, clock: Clock
) -> tuple[int, bytes]:
    """Return status and body; raise httpx.RequestError, also for an answer that does not end."""
    request.extensions["timeout"] = TIMEOUTS
    response = transport.handle_request(request)
    try:
        return response.status_code, _read(response, clock)
    finally:
        response.close()


def _read(response: httpx.Response, clock: Clock) -> bytes:
    body, ends_at = b"", clock() + SECONDS
    for chunk in response.iter_bytes():
        body += chunk
        if len(body) > MAX_ANSWER_BYTES or clock() > ends_at:
            raise httpx.ReadTimeout("The answer does not end.")
    return body
