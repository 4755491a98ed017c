"""A stream, with the time at which each event came."""

import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

import httpx

from infra.doctor.answer import Answer, Json, object_of

BLANK_LINE = re.compile(rb"(?>\r\n?|\n)(?>\r\n?|\n)")
DATA = re.compile(rb"(?:^|[\r\n])data: ?([^\r\n]*)")
EVENTS = "text/event-stream"

type Enough = Callable[["Recording"], bool]


@dataclass(frozen=True)
class Event:
    at: float  # seconds after the request was sent
    type: str
    data: Json


@dataclass
class Recording:
    """What came of one request for a stream; the answer has a body where it is none."""

    answer: Answer
    events: list[Event] = field(default_factory=list)
    comments: int = 0
    chunks: int = 0  # in which the events came
    broke: str | None = None  # why the stream did not end by itself
    left: bool = False  # by us

    @property
    def streams(self) -> bool:
        return self.answer.is_ok and self.answer.headers.get("content-type", "").startswith(EVENTS)

    @property
    def id(self) -> str | None:
        """Of the response that the first events tell of."""
        found = (event.data.get("response") for event in self.events)
        return next((str(told["id"]) for told in found if isinstance(told, dict)), None)

    @property
    def last(self) -> Event | None:
        return self.events[-1] if self.events else None

    @property
    def deltas(self) -> int:
        return sum(event.type.endswith(".delta") for event in self.events)


def record(response: httpx.Response, sent: float, enough: Enough, patience: float) -> Recording:
    """Read a stream until it ends, breaks or is enough; `sent` is a time of perf_counter."""
    head = Answer(response.status_code, response.headers, b"", _since(sent))
    made = Recording(head)
    if not made.streams:
        return Recording(replace(head, body=response.read()))
    try:
        for block in _blocks(response.iter_raw(), made):
            _note(block, made, _since(sent))
            if enough(made):
                made.left = True
                break
            if _since(sent) > patience:
                made.broke = f"it had not ended after {patience:g} s"
                break
    except httpx.HTTPError as exc:
        made.broke = str(exc) or type(exc).__name__
    return made


def _blocks(pieces: Iterator[bytes], made: Recording) -> Iterator[bytes]:
    """What stands between blank lines."""
    tail = b""
    for piece in pieces:
        made.chunks += 1
        *blocks, tail = BLANK_LINE.split(tail + piece)
        yield from blocks


def _note(block: bytes, made: Recording, at: float) -> None:
    lines = DATA.findall(block)
    if not lines:
        made.comments += block.lstrip().startswith(b":")
        return
    data = object_of(b"\n".join(lines))
    if data:  # `[DONE]`, of another dialect, is none
        made.events.append(Event(at, str(data.get("type")), data))


def _since(sent: float) -> float:
    return time.perf_counter() - sent
