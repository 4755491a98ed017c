"""What a request returned: a whole response, or a stream with the arrival time of each event."""

import json
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from typing import Any

import httpx
from httpx_sse import EventSource

METADATA_END = bytes(8)  # ends the status and headers that a streaming function sends to Lambda
MAX_QUOTE = 160  # characters of a body that is not JSON
ERROR_FIELDS = {"message", "type", "param", "code"}
EVENT_STREAM = "text/event-stream"

type Json = Mapping[str, Any]
type StopCondition = Callable[["StreamRecording"], bool]


@dataclass(frozen=True)
class ApiResponse:
    """A whole response; `seconds` is the time from the request to its last byte."""

    status: int
    headers: httpx.Headers
    body: bytes
    seconds: float

    @property
    def is_ok(self) -> bool:
        return self.status == HTTPStatus.OK

    @property
    def json(self) -> Json:
        """The JSON object in the body; empty if there is none."""
        return parse_object(self.body)

    @property
    def error(self) -> Json:
        """The value of `error` in OpenAI's envelope; empty if there is none."""
        error = self.json.get("error")
        return error if isinstance(error, dict) else {}

    @property
    def has_envelope(self) -> bool:
        """Whether the body is an error in OpenAI's envelope."""
        return self.error.keys() >= ERROR_FIELDS

    @property
    def contains_metadata(self) -> bool:
        """Whether the body has what only Lambda should read: then nothing streams here."""
        return METADATA_END in self.body and b"statusCode" in self.body

    @property
    def summary(self) -> str:
        """One line: the status, and the error's message or the start of the body."""
        text = self.error.get("message") or self.body[:MAX_QUOTE].decode("utf-8", "replace")
        code = self.error.get("code")
        return " ".join(f"{self.status}{f' {code}' if code else ''}: {text}".split())


@dataclass(frozen=True)
class RecordedEvent:
    at: float  # seconds after the request was sent
    type: str
    data: Json


@dataclass
class StreamRecording:
    """What a streamed request returned; `response` has a body if it was not a stream."""

    response: ApiResponse
    events: list[RecordedEvent] = field(default_factory=list)
    comments: int = 0
    chunks: int = 0  # in which the events came
    failure: str | None = None  # why the stream broke off
    is_abandoned: bool = False  # the client stopped reading

    @property
    def is_stream(self) -> bool:
        content_type = self.response.headers.get("content-type", "")
        return self.response.is_ok and content_type.startswith(EVENT_STREAM)

    @property
    def id(self) -> str | None:
        """The id of the response, from the first event that contains it."""
        found = (event.data.get("response") for event in self.events)
        return next((str(object["id"]) for object in found if isinstance(object, dict)), None)

    @property
    def last(self) -> RecordedEvent | None:
        return self.events[-1] if self.events else None

    @property
    def deltas(self) -> int:
        return sum(event.type.endswith(".delta") for event in self.events)


def record_stream(
    response: httpx.Response, sent: float, is_enough: StopCondition, timeout: float
) -> StreamRecording:
    """Read a stream until it ends or breaks, the condition is true, or the time is over.

    `sent` is when the request was sent, by time.perf_counter; `timeout` is in seconds.
    """
    head = ApiResponse(response.status_code, response.headers, b"", _seconds_since(sent))
    recording = StreamRecording(head)
    if not recording.is_stream:
        return StreamRecording(replace(head, body=response.read()))
    try:
        for data in _read_events(_TimedStream(response, recording, sent, timeout)):
            at = _seconds_since(sent)
            recording.events.append(RecordedEvent(at, str(data.get("type")), data))
            if is_enough(recording):
                recording.is_abandoned = True
                break
    except httpx.HTTPError as exc:
        recording.failure = str(exc) or type(exc).__name__
    return recording


def parse_object(text: bytes | str) -> Json:
    """Parse a JSON object; return an empty one if the text is anything else."""
    try:
        value = json.loads(text)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


@dataclass
class _TimedStream(httpx.SyncByteStream):
    """Counts chunks and comments, which httpx-sse does not report, and ends after the timeout.

    A provider can send comments only, so the time is checked for each chunk, not for each event.
    """

    response: httpx.Response
    recording: StreamRecording
    sent: float
    timeout: float

    def __iter__(self) -> Iterator[bytes]:
        previous = b"\n"
        for chunk in self.response.iter_raw():
            self.recording.chunks += 1
            text = previous[-1:] + chunk
            self.recording.comments += text.count(b"\n:") + text.count(b"\r:")
            previous = chunk
            yield chunk
            if _seconds_since(self.sent) > self.timeout:
                self.recording.failure = f"it had not ended after {self.timeout:g} s"
                return


def _read_events(stream: _TimedStream) -> Iterator[Json]:
    headers = stream.response.headers
    timed = httpx.Response(stream.response.status_code, headers=headers, stream=stream)
    for event in EventSource(timed).iter_sse():
        data = parse_object(event.data)
        if data:  # `[DONE]`, of the Chat Completions API, is not JSON
            yield data


def _seconds_since(start: float) -> float:
    return time.perf_counter() - start
