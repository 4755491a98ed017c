"""One request to one target: sent once, and read to its end or to its first event."""

import re
import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from functools import partial

import httpx

from antiphon.errors import GatewayError, InvalidRequest, UpstreamFailed
from antiphon.observability import logger
from antiphon.providers.errors import mask_account, mask_failed_response
from antiphon.providers.provider import Candidate
from antiphon.settings.config import PRIVATE_HEADERS, Gateway
from antiphon.sse import EventSplitter
from antiphon.upstream.credentials import redact
from antiphon.upstream.http1 import build_request
from antiphon.upstream.outcome import (
    SUCCESS,
    UpstreamRequest,
    UpstreamResponse,
    policy_for_status,
)
from antiphon.upstream.stream import UpstreamStream, translate_error
from antiphon.upstream.timers import ReadTimer, TimerThread, deadline_reached, no_time_left

MARGIN_SECONDS = 10.0  # for an orderly end before Lambda's limit; at most a quarter of what is left
WRITE_SECONDS = 30.0  # without any progress
ERROR_BODY_SECONDS = 3.0  # for the body of an error, whose head decides
MAX_ERROR_BYTES = 1 << 20  # nobody needs an error that is longer
MAX_HEADER_BYTES = 8_192  # of all that the caller gets: Lambda allows 16 KB with the gateway's own
STATUSES = range(200, 600)  # that Lambda can send
EVENTS = "text/event-stream"
REDIRECTS, ERRORS = range(300, 400), range(400, 600)

# Headers that identify the caller or describe its connection do not go to the provider.
TO_PROVIDER = (
    "accept",
    "content-type",
    "conversation_id",
    "openai-beta",
    "originator",
    "session-id",
    "session_id",
    "thread-id",
    "traceparent",
    "tracestate",
    "version",
    "x-client-request-id",
    "x-codex-*",
    "x-ms-oai-image-generation-deployment",
    "x-openai-subagent",
)
# The provider's organisation and project do not go to the caller.
TO_CALLER = (
    "apim-request-id",
    "cache-control",
    "content-type",
    "openai-model",
    "openai-processing-ms",
    "openai-version",
    "retry-after",
    "retry-after-ms",
    "x-codex-*",
    "x-models-etag",
    "x-ms-region",
    "x-ratelimit-*",
    "x-reasoning-included",
    "x-request-id",
    "x-should-retry",
)


class Exchange:
    """Sends over one httpx transport; timers beside it end a read that takes too long."""

    def __init__(self, transport: httpx.BaseTransport, gateway: Gateway) -> None:
        self._transport = transport
        self._gateway = gateway
        self._timers = TimerThread()
        self._to_provider = _name_pattern(*TO_PROVIDER, *gateway.pass_headers)
        self._to_caller = _name_pattern(*TO_CALLER, *gateway.pass_headers)

    def send(
        self, candidate: Candidate, credential: str, request: UpstreamRequest
    ) -> UpstreamResponse:
        """Raise GatewayError while no byte of the response has been passed on."""
        ends_at = latest_end(request)
        outgoing = self._build(candidate, credential, request)
        response = redact(self._send(outgoing, request, ends_at), credential)
        timer = self._start_timer(
            response, min(ends_at, time.monotonic() + request.timeout_seconds)
        )
        close = partial(self._close, response, timer)
        try:
            _check_status(response)
            body = self._read_body(request, response, timer, close)
            if isinstance(body, bytes):
                body = caller_body(candidate, response.status_code, body)
            headers = caller_headers(request.method, response, self._to_caller)
            return UpstreamResponse(candidate.target, response.status_code, headers, body)
        except BaseException:
            close()
            raise

    def _build(
        self, candidate: Candidate, credential: str, request: UpstreamRequest
    ) -> httpx.Request:
        url, authorization = candidate.provider.address(request.path, request.query, credential)
        body = request.encode_body(candidate)
        headers = {**provider_headers(request.headers, self._to_provider), **authorization}
        if body and "json" not in headers.get("content-type", ""):
            headers["content-type"] = "application/json"  # it was parsed as JSON before
        try:
            return build_request(request.method, url, headers, body)
        except httpx.RequestError as exc:
            raise translate_error(exc) from exc

    def _send(
        self, outgoing: httpx.Request, request: UpstreamRequest, ends_at: float
    ) -> httpx.Response:
        left = ends_at - time.monotonic()
        if left <= 0:
            raise no_time_left()
        first_event = self._gateway.first_event_seconds
        connect = min(left, self._gateway.connect_seconds)
        outgoing.extensions["head_timeout"] = min(
            left, first_event if request.streams else request.timeout_seconds
        )
        outgoing.extensions["ends_at"] = ends_at
        outgoing.extensions["timeout"] = {
            "connect": connect,
            "write": min(left, WRITE_SECONDS),
            "read": None,  # after the head the timers end a read
            "pool": connect,
        }
        try:
            return self._transport.handle_request(outgoing)
        except httpx.RequestError as exc:
            fault = translate_error(exc)
            if time.monotonic() < ends_at or isinstance(fault, InvalidRequest):
                raise fault from exc
            raise (no_time_left() if fault.processed == "no" else deadline_reached()) from exc

    def _start_timer(self, response: httpx.Response, ends_at: float) -> ReadTimer:
        stream = response.extensions.get("network_stream")
        timer = ReadTimer(stream and stream.get_extra_info("socket"), ends_at)
        self._timers.start(timer)
        return timer

    def _close(self, response: httpx.Response, timer: ReadTimer) -> None:
        self._timers.stop(timer)
        response.close()

    def _read_body(
        self,
        request: UpstreamRequest,
        response: httpx.Response,
        timer: ReadTimer,
        close: "partial[None]",
    ) -> bytes | UpstreamStream:
        if request.streams and response.status_code in SUCCESS:
            return self._open_stream(response, timer, close)
        if response.status_code in ERRORS:
            return self._read_error(response, timer, close)
        return self._read_all(request, response, timer, close)

    def _open_stream(
        self, response: httpx.Response, timer: ReadTimer, close: "partial[None]"
    ) -> UpstreamStream:
        content_type = response.headers.get("content-type", "no content type")
        if not content_type.startswith(EVENTS):
            raise UpstreamFailed(f"The provider answered a stream request with {content_type}.")
        timer.keep_alive = self._gateway.keep_alive_seconds
        timer.allow_silence(self._gateway.first_event_seconds)
        splitter = EventSplitter(self._gateway.max_event_bytes)
        stream = UpstreamStream(_chunks(response), timer, close, splitter)
        stream.open(self._gateway.idle_seconds)
        return stream

    def _read_error(
        self, response: httpx.Response, timer: ReadTimer, close: "partial[None]"
    ) -> bytes:
        """Return an error's body; nothing where it does not arrive whole: the head decides."""
        timer.end_within(ERROR_BODY_SECONDS)
        body = bytearray()
        is_whole = False
        with suppress(httpx.RequestError):
            for chunk in _chunks(response):
                body += chunk
                if len(body) > MAX_ERROR_BYTES:
                    break
            else:
                is_whole = (
                    timer.fault is None
                )  # a body without a length ends cleanly when it is cut
        close()
        return bytes(body) if is_whole else b""

    def _read_all(
        self,
        request: UpstreamRequest,
        response: httpx.Response,
        timer: ReadTimer,
        close: "partial[None]",
    ) -> bytes:
        try:
            body = b"".join(_chunks(response))
        except httpx.RequestError as exc:
            raise timer.fault or translate_error(exc) from exc
        close()
        if timer.fault is not None:  # a body without a length ends cleanly when it is cut
            raise timer.fault
        # The body of a DELETE is not read by anyone, and may be empty.
        if response.status_code in SUCCESS and request.method != "DELETE":
            _check_content_type(response)
        return body


def latest_end(request: UpstreamRequest) -> float:
    """Return the time.monotonic() at which an exchange must end, so that the reply ends well."""
    return request.ends_at - min(MARGIN_SECONDS, request.seconds_left / 4)


def _name_pattern(*names: str) -> re.Pattern[str]:
    """Compile names of headers, which may end with `*`."""
    passed = "|".join(re.escape(name).replace(r"\*", ".+") for name in names)
    return re.compile(f"(?!(?:{PRIVATE_HEADERS.pattern})$)(?:{passed})")


def provider_headers(headers: Mapping[str, str], names: re.Pattern[str]) -> dict[str, str]:
    """Return the caller's headers that the provider gets, without values that cannot be sent."""
    passed = {
        name: value
        for name, value in headers.items()
        if names.fullmatch(name) and value.isascii() and value.replace("\t", " ").isprintable()
    }
    # Identity: the caller gets the provider's bytes, and nothing unpacks them on the way.
    return {**passed, "accept-encoding": "identity", "user-agent": "antiphon"}


def caller_headers(method: str, response: httpx.Response, names: re.Pattern[str]) -> dict[str, str]:
    """Return the provider's headers that the caller gets, and whether its SDK may retry."""
    passed = {name: value for name, value in response.headers.items() if names.fullmatch(name)}
    if sum(map(len, (*passed, *passed.values()))) > MAX_HEADER_BYTES:
        passed = _without_longest(passed)
    if method == "POST" and policy_for_status(response.status_code).should_retry is False:
        passed["x-should-retry"] = "false"
    return {"cache-control": "no-store", **passed}


def _without_longest(headers: Mapping[str, str]) -> dict[str, str]:
    """Return the shortest headers, as many as a response of Lambda can have."""
    left, passed = MAX_HEADER_BYTES, {}
    for name, value in sorted(headers.items(), key=lambda header: len(header[1])):
        left -= len(name) + len(value)
        if left >= 0:
            passed[name] = value
    logger.warning("headers dropped", extra={"headers": sorted(headers.keys() - passed.keys())})
    return passed


def caller_body(candidate: Candidate, status: int, body: bytes) -> bytes:
    """Return a complete answer: an error in OpenAI's shape and without the account's ids."""
    if status not in ERRORS:
        return mask_failed_response(body)
    if not body.strip():
        text = f"The provider answered with status {status} and no body."
        return GatewayError(text).body()
    return mask_account(candidate.provider.complete_error(status, body))


def _chunks(response: httpx.Response) -> Iterable[bytes]:
    """Return the body's chunks as the transport decodes them, with no further layer."""
    stream = response.stream
    if not isinstance(stream, httpx.SyncByteStream):
        raise TypeError("the transport must be synchronous")
    return stream


def _check_status(response: httpx.Response) -> None:
    if response.status_code not in STATUSES:
        raise UpstreamFailed(f"The provider answered with the status {response.status_code}.")
    if response.status_code in REDIRECTS:  # following it would send our credential elsewhere
        raise UpstreamFailed("The provider answered with a redirect, which is not followed.")


def _check_content_type(response: httpx.Response) -> None:
    content_type = response.headers.get("content-type", "no content type")
    if not content_type.startswith("application/json"):
        raise UpstreamFailed(f"The provider answered with {content_type} in place of JSON.")
