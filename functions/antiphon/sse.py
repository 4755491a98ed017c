"""Server-sent events without I/O: bytes in, whole events out, every byte as it came.

https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import jiter

BLANK_LINE = re.compile(rb"(?>\r\n?|\n)(?>\r\n?|\n)")
DATA = re.compile(rb"(?:\A(?:\xef\xbb\xbf)?|[\r\n])data(?:: ?([^\r\n]*))?(?=[\r\n])")
OVERLAP = 3  # a blank line is at most four bytes, of which three may have come before
MAX_EVENT = 16 * 1024 * 1024


class EventTooLarge(ValueError):
    """One event is larger than any provider sends."""


class EventSplitter:
    """Cuts a stream behind its blank lines; a chunk may end anywhere."""

    def __init__(self, max_event: int = MAX_EVENT) -> None:
        self._max_event = max_event
        self._tail = bytearray()

    @property
    def tail(self) -> bytes:
        """What came behind the last whole event."""
        return bytes(self._tail)

    def feed(self, chunk: bytes) -> list[bytes]:
        """The events that this chunk completes, each with its blank line."""
        if not self._tail and b"\r" not in chunk:
            # As most come: at a fifth of the time that all spellings of a line's end take.
            *whole, rest = chunk.split(b"\n\n")
            if whole:
                self._tail += rest
                return [event + b"\n\n" for event in whole]
        return self._sought(chunk)

    def _sought(self, chunk: bytes) -> list[bytes]:
        search_from = max(0, len(self._tail) - OVERLAP)
        self._tail += chunk
        ends = [found.end() for found in BLANK_LINE.finditer(self._tail, search_from)]
        if not ends:
            return self._wait()
        events = [bytes(self._tail[a:b]) for a, b in zip([0, *ends], ends, strict=False)]
        del self._tail[: ends[-1]]
        return events

    def _wait(self) -> list[bytes]:
        if len(self._tail) > self._max_event:
            raise EventTooLarge(f"An event has more than {self._max_event} bytes.")
        return []


@dataclass(frozen=True)
class Event:
    """One event of the Responses API: its JSON, whose `type` says what it is."""

    type: str
    data: Mapping[str, Any]

    @property
    def response(self) -> Mapping[str, Any] | None:
        """The response object it carries, if it carries one."""
        found = self.data.get("response")
        return found if isinstance(found, dict) else None


def event_data(event: bytes) -> bytes | None:
    """The joined `data` lines of one event; None for comments and the like."""
    lines = [found or b"" for found in DATA.findall(event)]
    return b"\n".join(lines) if lines else None


def parse_event(event: bytes) -> Event | None:
    """One event's JSON object; None where it has no such thing (`[DONE]`, comments)."""
    text = event_data(event)
    if text is None:
        return None
    try:
        value = jiter.from_json(text)
    except ValueError:
        return None
    if not isinstance(value, dict):
        return None
    return Event(str(value.get("type")), value)


def encode_event(value: Mapping[str, Any]) -> bytes:
    """An event named by its `type`, as OpenAI writes them."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return f"event: {value['type']}\ndata: {text}\n\n".encode()
