"""Reads the few members of a provider's JSON that the gateway needs, whatever the rest is.

A parser refuses the whole text for one value that it cannot represent: half of a surrogate pair, an
integer of 5,000 digits, 300 nested arrays. Here all values that are not wanted are skipped, so the
text may be of any size and arrive in pieces.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import jiter

MAX_PARSED_BYTES = 1_000_000  # of a text that is parsed as a whole: the objects take far more
MAX_VALUE_BYTES = 16_384  # of a wanted value
UNREADABLE = ""  # in place of a wanted value that cannot be represented
MAX_ELEMENTS = 10_000  # of an array of wanted objects
BYTE_ORDER_MARK = b"\xef\xbb\xbf"
SEPARATORS = re.compile(rb"[ \t\r\n,:]*+")
STRING_REST = re.compile(rb'[^"\\]*+(?:\\.[^"\\]*+)*+', re.DOTALL)
SCALAR = re.compile(rb'[^ \t\r\n,:"{}\[\]]*+')
FLAT = rb'(?:[^"{}\[\]]++|"[^"\\]*+(?:\\.[^"\\]*+)*+")*+'
# Up to the first bracket, beyond objects and arrays that contain no others.
WITHOUT_BRACKETS = re.compile(rb"%b(?:[{\[]%b[}\]]%b)*+" % (FLAT, FLAT, FLAT), re.DOTALL)

# The members to read; below None is the value itself, below a mapping are those of an object, or
# of each object in an array.
type Wanted = Mapping[str, Wanted | None]
type Members = Mapping[str, Any]
type Container = dict[str, Any] | list[Any]


def _values(names: str) -> Wanted:
    return dict.fromkeys(names.split())


CONTAINER = _values("container_id")
PART: Wanted = {"annotations": CONTAINER}
ITEM: Wanted = {
    **_values("id type object created owned_by container_id"),
    "environment": CONTAINER,
    "content": PART,
}
ERROR = _values("code message param type")
USAGE: Wanted = {
    **_values("input_tokens output_tokens total_tokens"),
    "input_tokens_details": _values("cached_tokens cache_write_tokens"),
    "output_tokens_details": _values("reasoning_tokens"),
}
FILE = _values("id object bytes created_at expires_at filename purpose status")
RESPONSE: Wanted = {
    **_values("id object type status model service_tier created_at completed_at store metadata"),
    **_values("error"),
    "usage": USAGE,
    "conversation": _values("id"),
    "output": ITEM,
    "data": ITEM,
    # Of files, uploads, containers and batches:
    **_values("name bytes expires_at filename purpose output_file_id error_file_id"),
    "file": FILE,
}
EVENT: Wanted = {
    **_values("type sequence_number code message"),
    "error": ERROR,
    "response": RESPONSE,
    "item": ITEM,
    "part": PART,
    "annotation": CONTAINER,
}


@dataclass(frozen=True)
class Answer:
    """What was read, and whether the text is one whole JSON object."""

    members: Members
    is_whole: bool


@dataclass
class OpenValue:
    """An object, or an array of objects, of which some members are wanted."""

    value: Container
    wanted: Wanted
    key: str | None = None  # of the member whose value comes next


class JsonReader:
    """`feed` the text in pieces; `answer` is what has been read so far."""

    def __init__(self, wanted: Wanted = RESPONSE) -> None:
        self._wanted = wanted
        self._members: dict[str, Any] = {}
        self._open: list[OpenValue] = []
        self._read: Callable[[bytes, int], int] = self._find_object
        self._raw: bytearray | None = None  # of the key or wanted value that is being read
        self._is_key = False
        self._is_escaped = False
        self._depth = 0  # of brackets within the value that is being read
        self._has_ended = False
        self._has_more = False  # anything beside the object

    @property
    def answer(self) -> Answer:
        return Answer(self._members, self._has_ended and not self._has_more)

    def feed(self, data: bytes) -> None:
        at = 0
        while at < len(data):
            at = self._read(data, at)

    def _find_object(self, data: bytes, at: int) -> int:
        found = data.find(b"{", at)
        end = len(data) if found < 0 else found
        self._has_more |= bool(data[at:end].removeprefix(BYTE_ORDER_MARK).strip())
        if found < 0:
            return end
        self._open.append(OpenValue(self._members, self._wanted))
        self._read = self._read_next
        return found + 1

    def _read_end(self, data: bytes, at: int) -> int:
        self._has_more |= bool(data[at:].strip())
        return len(data)

    def _read_next(self, data: bytes, at: int) -> int:
        """Read what follows in the innermost open value: a key, a value, or its end."""
        at = _end_of(SEPARATORS, data, at)
        byte = data[at : at + 1]
        if byte in (b"}", b"]"):
            self._close()
            return at + 1
        return self._begin(byte, at) if byte else at

    def _close(self) -> None:
        self._open.pop()
        if not self._open:
            self._has_ended = True
            self._read = self._read_end

    def _begin(self, byte: bytes, at: int) -> int:
        """Begin a key or a value; a value that is not wanted is skipped."""
        within = self._open[-1]
        self._is_key = byte == b'"' and isinstance(within.value, dict) and within.key is None
        is_wanted = within.key in within.wanted
        wanted = within.wanted.get(within.key or "")
        if isinstance(within.value, list):
            is_wanted, wanted = byte == b"{" and len(within.value) < MAX_ELEMENTS, within.wanted
        if is_wanted and wanted is not None and byte in (b"{", b"["):
            self._descend(within, {} if byte == b"{" else [], wanted)
            return at + 1
        self._raw = bytearray() if self._is_key or is_wanted else None
        self._read = self._read_value
        return at

    def _descend(self, within: OpenValue, value: Container, wanted: Wanted) -> None:
        if isinstance(within.value, list):
            within.value.append(value)
        else:
            within.value[within.key or ""], within.key = value, None
        self._open.append(OpenValue(value, wanted))

    def _read_value(self, data: bytes, at: int) -> int:
        """Read up to the next bracket or string, or the end of a number or literal."""
        end = _end_of(WITHOUT_BRACKETS if self._depth else SCALAR, data, at)
        self._keep(data[at:end])
        byte = data[end : end + 1]
        if byte == b'"' and (self._depth or end == at):
            self._keep(byte)
            self._read = self._read_string
            return end + 1
        if byte in (b"{", b"[") and (self._depth or end == at):
            self._depth += 1
        elif byte in (b"}", b"]") and self._depth:
            self._depth -= 1
            if not self._depth:
                self._keep(byte)
                self._finish()
                return end + 1
        elif byte:
            self._finish()
            return end
        self._keep(byte)
        return end + 1

    def _read_string(self, data: bytes, at: int) -> int:
        start, at = at, at + self._is_escaped
        end = _end_of(STRING_REST, data, at)
        self._is_escaped = data[end : end + 1] == b"\\"  # the piece ends within an escape
        self._keep(data[start : end + 1])
        if data[end : end + 1] == b'"':
            self._read = self._read_value
            if not self._depth:
                self._finish()
        return end + 1

    def _keep(self, piece: bytes) -> None:
        if self._raw is not None and len(self._raw) <= MAX_VALUE_BYTES:
            self._raw += piece[: MAX_VALUE_BYTES + 1]

    def _finish(self) -> None:
        """End a key or a value."""
        within, raw, self._raw = self._open[-1], self._raw, None
        self._read = self._read_next
        value = None if raw is None else _parse(raw)
        if self._is_key:
            within.key = str(value)
            return
        if raw is not None and isinstance(within.value, dict):
            within.value[within.key or ""] = value
        within.key = None


def read_json(text: bytes, wanted: Wanted = RESPONSE) -> Answer:
    """Read a text that has arrived; the members of a small one may be more than the wanted ones."""
    if len(text) <= MAX_PARSED_BYTES:
        try:
            value = jiter.from_json(text)
        except ValueError:
            value = None
        if isinstance(value, dict):
            return Answer(value, is_whole=True)
    reader = JsonReader(wanted)
    reader.feed(text)
    return reader.answer


def _parse(raw: bytearray) -> Any:
    try:
        return UNREADABLE if len(raw) > MAX_VALUE_BYTES else jiter.from_json(bytes(raw))
    except ValueError:
        return UNREADABLE


def _end_of(pattern: re.Pattern[bytes], data: bytes, at: int) -> int:
    """Return where a pattern that matches anything, if only nothing, ends."""
    found = pattern.match(data, at)
    return at if found is None else found.end()
