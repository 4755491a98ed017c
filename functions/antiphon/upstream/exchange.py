"""One request to one target: sent once, and read to its end or to its first event."""

import re
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING, Protocol

import httpx

from antiphon.errors import AnswerTooLarge, GatewayError, InvalidRequest, UpstreamFailed
from antiphon.json_reader import Answer, JsonReader, read_json
from antiphon.providers.provider import Candidate
from antiphon.settings.config import Gateway
from antiphon.settings.section import PRIVATE_HEADERS
from antiphon.sse import EventSplitter
from antiphon.upstream.credentials import NO_SIGNERS, SESSION_TOKEN, redact
from antiphon.upstream.download import Download, check_download, redirected
from antiphon.upstream.faults import translate_error
from antiphon.upstream.http1 import Received, request_head
from antiphon.upstream.outcome import (
    CREDENTIAL_REFUSED,
    JSON,
    SUCCESS,
    UpstreamRequest,
    UpstreamResponse,
    latest_end,
    policy_for_status,
    without_longest,
)
from antiphon.upstream.stream import UpstreamStream
from antiphon.upstream.timers import (
    NEVER,
    ReadTimer,
    TimerThread,
    answer_deadline_reached,
    no_time_left,
)
from antiphon.upstream.transport import Outgoing

if TYPE_CHECKING:
    from antiphon.store.request_signing import RequestSigner

WRITE_SECONDS = 30.0  # without any progress
ERROR_BODY_SECONDS = 3.0  # for the body of an error, whose head decides
MAX_ERROR_BYTES = 1 << 20  # nobody needs an error that is longer
MAX_HEADER_BYTES = 8_192  # of all that the caller gets: Lambda allows 16 KB with the gateway's own
STATUSES = range(200, 600)  # that Lambda can send
EVENTS = "text/event-stream"
EVENT_START = re.compile(rb":|(?:event|data|id|retry):")
KIND_BYTES, MAX_BLANK_BYTES = 6, 65_536  # that tell JSON from events; before them
REDIRECTS, ERRORS = range(300, 400), range(400, 600)
NO_CONTENT = 204

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
RANGES = ("if-range", "range")  # of downloads
# The provider's organisation and project do not go to the caller.
TO_CALLER = (
    "accept-ranges",
    "apim-request-id",
    "cache-control",
    "content-disposition",
    "content-range",
    "content-type",
    "etag",
    "openai-model",
    "openai-poll-after-ms",
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


class Transport(Protocol):
    """Sends a request, and returns once the head of its response is there."""

    def send(self, outgoing: Outgoing) -> Received: ...


class Exchange:
    """Sends over one transport; timers beside it end a read that takes too long."""

    def __init__(
        self,
        transport: Transport,
        gateway: Gateway,
        signers: Mapping[str, "RequestSigner"] = NO_SIGNERS,
    ) -> None:
        self._signers = signers
        self._transport = transport
        self._gateway = gateway
        self._timers = TimerThread()
        self._to_provider = _known_names(*TO_PROVIDER, *gateway.pass_headers)
        self._for_download = _known_names(*TO_PROVIDER, *RANGES, *gateway.pass_headers)
        self._to_caller = _known_names(*TO_CALLER, *gateway.pass_headers)

    def send(
        self, candidate: Candidate, credential: str, request: UpstreamRequest
    ) -> UpstreamResponse:
        """Raise GatewayError while no byte of the response has been passed on."""
        ends_at = latest_end(request)
        answers_by = min(ends_at, request.answers_by)
        outgoing = self._build(candidate, credential, request)
        response = self._send(outgoing, request, answers_by)
        if request.is_download and response.status in REDIRECTS:
            response = self._follow(outgoing, response, request, answers_by)
        is_file = request.is_download and response.status in SUCCESS
        secret = credential or outgoing.headers.get(SESSION_TOKEN, "")
        response = redact(response, secret, with_body=not is_file)
        ends_at = min(ends_at, time.monotonic() + request.timeout_seconds)
        timer = self._start_timer(response, ends_at, answers_by)
        close = partial(self._close, response, timer)
        try:
            _check_status(response)
            headers = caller_headers(request, response, self._to_caller)
            head = UpstreamResponse(
                candidate.target, response.status, headers, b"", request=request
            )
            incoming = _Incoming(head, iter(response.stream), timer, close)
            if head.status in ERRORS:
                return _read_error(incoming, candidate, response.headers)
            if is_file:
                check_download(response, has_range="range" in outgoing.headers)
                return self._open_download(incoming)
            if request.method == "DELETE":
                return _read_deletion(incoming)
            return self._read_answer(incoming, request)
        except BaseException:
            close()
            raise

    def _build(self, candidate: Candidate, credential: str, request: UpstreamRequest) -> Outgoing:
        url, authorization = candidate.provider.address(request.path, request.query, credential)
        body = request.encode_body(candidate)
        names = self._for_download if request.is_download else self._to_provider
        headers = {**provider_headers(request.headers, names), **authorization}
        is_json = _media_type(headers.get("content-type", "")).endswith("json")
        if body and not (request.is_form or is_json):
            headers["content-type"] = JSON  # it was parsed as JSON before
        if signer := self._signers.get(candidate.target):
            headers.update(signer.sign(request.method, url, headers, body))
        try:
            place, head = request_head(request.method, url, headers, len(body))
        except httpx.RequestError as exc:
            raise translate_error(exc) from exc
        return Outgoing(place, request.method, head, body, {}, headers)

    def _send(self, outgoing: Outgoing, request: UpstreamRequest, answers_by: float) -> Received:
        left = answers_by - time.monotonic()
        if left <= 0:
            raise no_time_left()
        first_event = self._gateway.first_event_seconds
        head_seconds = first_event if request.is_read_as_it_comes else request.timeout_seconds
        timeouts = {
            "connect": min(left, self._gateway.connect_seconds),
            "write": min(left, WRITE_SECONDS),
            "read": None,  # after the head the timers end a read
        }
        limits = {
            "timeout": timeouts,
            "head_timeout": min(left, head_seconds),
            "ends_at": answers_by,
        }
        try:
            return self._transport.send(outgoing._replace(limits=limits))
        except httpx.RequestError as exc:
            fault = translate_error(exc)
            if time.monotonic() < answers_by or isinstance(fault, InvalidRequest):
                raise fault from exc
            raise (
                no_time_left() if fault.processed == "no" else answer_deadline_reached()
            ) from exc

    def _follow(
        self,
        outgoing: Outgoing,
        response: Received,
        request: UpstreamRequest,
        answers_by: float,
    ) -> Received:
        response.close()
        response = self._send(redirected(outgoing, response), request, answers_by)
        if response.status not in CREDENTIAL_REFUSED:
            return response
        response.close()  # the status says nothing about the gateway's credential
        raise UpstreamFailed("The address to which the provider redirects refuses the request.")

    def _start_timer(self, response: Received, ends_at: float, answers_by: float) -> ReadTimer:
        found = response.connection
        socket = None if found is None else found.get_extra_info("socket")
        timer = ReadTimer(socket, ends_at, answers_by)
        self._timers.start(timer)
        return timer

    def _close(self, response: Received, timer: ReadTimer) -> None:
        self._timers.stop(timer)
        response.close()

    def _read_answer(self, incoming: "_Incoming", request: UpstreamRequest) -> UpstreamResponse:
        """Read what was sent, whatever was requested: its bytes tell whether these are events."""
        if request.streams:
            incoming.timer.allow_silence(self._gateway.first_event_seconds)
        start, incoming = incoming.peek()
        declared = incoming.head.headers.get("content-type", "")
        kind = kind_of_body(declared, start)
        head = _with_usual_type(incoming.head, kind)
        if kind == EVENTS and request.accepts_events:
            hold = self._gateway.hold_lifecycle_events if request.on_abandoned else 0
            return replace(head, body=self._open_stream(incoming, hold))
        incoming.timer.allow_silence(NEVER)
        body, answer, fault = incoming.read_all(self._gateway.max_answer_bytes)
        if kind != JSON:
            text = f"The provider answered with {declared or 'no content type'} in place of JSON."
            fault = fault or UpstreamFailed(text)
        return head.with_answer(body, answer or read_json(body), fault)

    def _open_download(self, incoming: "_Incoming") -> UpstreamResponse:
        timer, max_silence = incoming.timer, self._gateway.idle_seconds
        download = Download(incoming.chunks, timer, incoming.close, max_silence)
        timer.allow_silence(self._gateway.first_event_seconds)
        if download.open():
            return replace(incoming.head, body=download)
        download.close()
        return replace(incoming.head, status=NO_CONTENT)  # the runtime cannot send an empty body

    def _open_stream(self, incoming: "_Incoming", hold_seconds: float) -> UpstreamStream:
        timer = incoming.timer
        timer.keep_alive = self._gateway.keep_alive_seconds
        timer.allow_silence(self._gateway.first_event_seconds)
        splitter = EventSplitter(self._gateway.max_event_bytes)
        stream = UpstreamStream(incoming.chunks, timer, incoming.close, splitter)
        stream.open(self._gateway.idle_seconds, hold_seconds)
        return stream


@dataclass(frozen=True)
class _Incoming:
    """A response whose body is still to be read."""

    head: UpstreamResponse  # without its body
    chunks: Iterator[bytes]
    timer: ReadTimer
    close: Callable[[], None]

    def peek(self) -> "tuple[bytes, _Incoming]":
        """Return the first bytes of the body, as many as tell its kind, and all of it."""
        start = b""
        try:
            for chunk in self.chunks:
                start += chunk
                text = start.lstrip(b"\xef\xbb\xbf \t\r\n")
                is_enough = len(text) >= KIND_BYTES or len(start) > MAX_BLANK_BYTES
                if is_enough or text.startswith((b"{", b":")):
                    return text, replace(self, chunks=chain((start,), self.chunks))
        except httpx.RequestError as exc:
            raise self.timer.fault or translate_error(exc) from exc
        return start, replace(self, chunks=iter((start,)))

    def read_all(self, max_bytes: int) -> tuple[bytes, Answer | None, GatewayError | None]:
        """Read the body to its end, or to the fault that is returned.

        Of a body that is too large, it returns only the members that are recorded.
        """
        pieces: list[bytes] = []
        reader, size, fault = None, 0, None
        try:
            for chunk in self.chunks:
                size += len(chunk)
                pieces.append(chunk)
                if size > max_bytes:
                    reader = reader or JsonReader()
                    _feed(reader, pieces)
        except httpx.RequestError as exc:
            fault = translate_error(exc)
        self.close()
        fault = self.timer.fault or fault  # a body without a length ends cleanly when it is cut
        if reader is None:
            return b"".join(pieces), None, fault
        text = f"The provider's answer has more than {max_bytes:,} bytes ('max_answer_bytes')."
        return b"", reader.answer, fault or AnswerTooLarge(text)


def _known_names(*names: str) -> Callable[[str], bool]:
    """Return what says whether a header is one of these; `*` is one character or more."""
    # A pattern of all of them takes ten times as long to build, at each start.
    known = frozenset(name for name in names if not PRIVATE_HEADERS.fullmatch(name))
    starts = tuple(name.removesuffix("*") for name in names if name.endswith("*"))
    return lambda name: (
        name in known or (name[:-1].startswith(starts) and not PRIVATE_HEADERS.fullmatch(name))
    )


def provider_headers(headers: Mapping[str, str], is_known: Callable[[str], bool]) -> dict[str, str]:
    """Return the caller's headers that the provider gets, without values that cannot be sent."""
    passed = {
        name: value
        for name, value in headers.items()
        if is_known(name) and value.isascii() and value.replace("\t", " ").isprintable()
    }
    # Identity: the caller gets the provider's bytes, and nothing unpacks them on the way.
    return {**passed, "accept-encoding": "identity", "user-agent": "antiphon"}


def caller_headers(
    request: UpstreamRequest, response: Received, is_known: Callable[[str], bool]
) -> dict[str, str]:
    """Return the provider's headers that the caller gets, and whether its SDK may retry."""
    passed = {name: value for name, value in response.headers.items() if is_known(name)}
    if sum(map(len, (*passed, *passed.values()))) > MAX_HEADER_BYTES:
        passed = without_longest(passed, MAX_HEADER_BYTES)
    if policy_for_status(response.status).should_retry is False and request.pays_again:
        passed["x-should-retry"] = "false"
    return {"cache-control": "no-store", **passed}


def kind_of_body(declared: str, start: bytes) -> str | None:
    """Return whether a body is JSON or events; None where neither its start nor its type says."""
    if start.startswith(b"{"):
        return JSON
    media = _media_type(declared)
    if EVENT_START.match(start) or media == EVENTS:
        return EVENTS
    return JSON if media.endswith("json") else None


def usual_content_type(declared: str, kind: str) -> str:
    """Return the declared type if clients, which compare it with case, understand it."""
    media = _media_type(declared)
    is_understood = media == kind or (kind == JSON and media.endswith("json"))
    return declared if is_understood and declared.startswith(media) else kind


def _with_usual_type(head: UpstreamResponse, kind: str | None) -> UpstreamResponse:
    """Return the head of a body of this kind, with a type that clients understand, if any."""
    declared = head.headers.get("content-type", "")
    usual = declared if kind is None else usual_content_type(declared, kind)
    return head if usual == declared else head.with_headers({"content-type": usual})


def _media_type(declared: str) -> str:
    return declared.partition(";")[0].strip().lower()


def _read_error(
    incoming: _Incoming, candidate: Candidate, headers: Mapping[str, str]
) -> UpstreamResponse:
    """Read an error's body, nothing where it does not arrive whole: the head decides."""
    incoming.timer.end_within(ERROR_BODY_SECONDS)
    body, answer, fault = incoming.read_all(MAX_ERROR_BYTES)
    is_whole = answer is None and fault is None
    return incoming.head.with_error(candidate, body if is_whole else b"", headers)


def _read_deletion(incoming: _Incoming) -> UpstreamResponse:
    """Read the answer to a DELETE, which nobody reads and which may be empty."""
    body, _, fault = incoming.read_all(MAX_ERROR_BYTES)
    if fault is not None:
        raise fault
    kind = kind_of_body(incoming.head.headers.get("content-type", ""), body.lstrip())
    return replace(_with_usual_type(incoming.head, kind), body=body)


def _feed(reader: JsonReader, pieces: list[bytes]) -> None:
    for piece in pieces:
        reader.feed(piece)
    pieces.clear()


def _check_status(response: Received) -> None:
    if response.status not in STATUSES:
        raise UpstreamFailed(f"The provider answered with the status {response.status}.")
    if response.status in REDIRECTS:  # following it would send our credential elsewhere
        raise UpstreamFailed("The provider answered with a redirect, which is not followed.")
