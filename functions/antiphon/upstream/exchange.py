"""Which headers pass, both ways; every other one stays where it came from.

One request to one target: sent once, and read to its end or to its first event.
"""

import time
from collections.abc import Mapping
from functools import partial

from antiphon.errors import InvalidRequest, UpstreamFailed
from antiphon.http import Request
from antiphon.providers.openai import Address
from antiphon.providers.provider import Candidate
from antiphon.relay.transport.client import Client
from antiphon.relay.transport.connection import Patience
from antiphon.relay.transport.errors import TransportError
from antiphon.relay.transport.outgoing import Outgoing
from antiphon.relay.transport.response import Response
from antiphon.settings.config import Gateway
from antiphon.upstream.faults import (
    caller_error_body,
    check_redirect,
    deadline_reached,
    translate_error,
)
from antiphon.upstream.outcome import UpstreamRequest, UpstreamResponse
from antiphon.upstream.stream import UpstreamStream
from antiphon.upstream.timers import ReadTimer, TimerThread

# What says who the caller is, or how it is connected, is not the provider's business.
TO_PROVIDER = (
    "accept",
    "content-type",
    "openai-beta",
    "x-client-request-id",
    "x-ms-oai-image-generation-deployment",
)
# The provider's organisation and project are not the caller's business.
TO_CALLER = frozenset(
    {
        "apim-request-id",
        "cache-control",
        "content-type",
        "openai-processing-ms",
        "openai-version",
        "retry-after",
        "retry-after-ms",
        "x-ms-region",
        "x-request-id",
        "x-should-retry",
    }
)
AMBIGUOUS = {500, 502, 504}  # it may have been processed: sending again may pay again
RATE_LIMITS = "x-ratelimit-"


def provider_headers(headers: Mapping[str, str], credential: Mapping[str, str]) -> dict[str, str]:
    passed = {name: headers[name] for name in TO_PROVIDER if name in headers}
    for name, value in passed.items():
        if not (value.isascii() and value.replace("\t", " ").isprintable()):
            raise InvalidRequest(f"The header '{name}' cannot be sent on.", param=name)
    # Identity: the caller is to get the provider's bytes, which nobody unpacks on the way.
    return {**passed, "accept-encoding": "identity", "user-agent": "antiphon", **credential}


def caller_headers(response: Response) -> dict[str, str]:
    passed = {
        name: value
        for name, value in response.headers.items()
        if name in TO_CALLER or name.startswith(RATE_LIMITS)
    }
    if response.method == "POST" and response.status in AMBIGUOUS:
        passed["x-should-retry"] = "false"
    return {"cache-control": "no-store", **passed}


# Seconds for an orderly end before Lambda stops us; at most a quarter of what is left.
MARGIN = 10.0
EVENTS = "text/event-stream"
SUCCESS, ERROR = range(200, 300), range(400, 600)


class Exchange:
    def __init__(self, client: Client, gateway: Gateway) -> None:
        self._client = client
        self._gateway = gateway
        self._watch = TimerThread()

    def send(
        self, step: Candidate, credential: str, request: Request, call: UpstreamRequest
    ) -> UpstreamResponse:
        """Raise UpstreamFailed and its kin while no byte of the answer has been passed on."""
        address = step.provider.address(call.path, request.query, credential)
        ends_at = latest_end(request)
        patience = self._gateway.first_event_seconds if call.streams else call.patience
        outgoing = self._outgoing(address, request, call.body_for(step))
        response = self._exchange(outgoing, patience, ends_at)
        vigil = self._begin_vigil(response, min(ends_at, time.monotonic() + call.patience))
        try:
            check_redirect(response)
            read = self._stream if call.streams and response.status in SUCCESS else self._whole
            body = read(response, vigil)
            if isinstance(body, bytes) and response.status in ERROR:
                body = caller_error_body(step, response.status, body)
            passed = caller_headers(response)
            return UpstreamResponse(step.target, response.status, passed, body)
        except BaseException:
            self._close(response, vigil)
            raise

    def _outgoing(self, address: Address, request: Request, body: bytes) -> Outgoing:
        passed = provider_headers(request.headers, address.headers)
        if body and "json" not in passed.get("content-type", ""):
            passed["content-type"] = "application/json"  # it is: we have read it
        try:
            return Outgoing.to(address.url, request.method, passed, body)
        except TransportError as exc:
            raise translate_error(exc) from exc

    def _exchange(self, outgoing: Outgoing, patience: float, ends_at: float) -> Response:
        left = ends_at - time.monotonic()
        if left <= 0:
            raise deadline_reached()
        # Behind the head the watch knows better what is too long.
        seconds = Patience(self._gateway.connect_seconds, head=min(left, patience))
        try:
            return self._client.send(outgoing, seconds)
        except TransportError as exc:
            raise translate_error(exc) from exc

    def _begin_vigil(self, response: Response, ends_at: float) -> ReadTimer:
        vigil = ReadTimer(response.socket, ends_at)
        self._watch.begin(vigil)
        return vigil

    def _close(self, response: Response, vigil: ReadTimer) -> None:
        self._watch.end(vigil)
        response.close()

    def _stream(self, response: Response, vigil: ReadTimer) -> UpstreamStream:
        kind = response.headers.get("content-type", "nothing")
        if not kind.startswith(EVENTS):
            raise UpstreamFailed(f"The provider answered a stream request with {kind}.")
        vigil.keep_alive = self._gateway.keep_alive_seconds
        vigil.expect(self._gateway.first_event_seconds)
        stream = UpstreamStream(iter(response), vigil, partial(self._close, response, vigil))
        stream.open(patience=self._gateway.idle_seconds)
        return stream

    def _whole(self, response: Response, vigil: ReadTimer) -> bytes:
        try:
            body = response.read()
        except TransportError as exc:
            raise vigil.fault or translate_error(exc) from exc
        self._close(response, vigil)
        if vigil.fault is not None:  # a body without a length ends cleanly when it is cut
            raise vigil.fault
        # That of a DELETE nobody reads, and it may be empty.
        if response.status in SUCCESS and response.method != "DELETE":
            _check_kind(response)
        return body


def _check_kind(response: Response) -> None:
    kind = response.headers.get("content-type", "nothing")
    if not kind.startswith("application/json"):
        raise UpstreamFailed(f"The provider answered with {kind} in place of JSON.")


def latest_end(request: Request) -> float:
    """When an exchange must have ended, in monotonic seconds, so that ours can end well."""
    return request.ends_at - min(MARGIN, request.seconds_left / 4)
