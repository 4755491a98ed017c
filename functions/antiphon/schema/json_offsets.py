"""Byte offsets in a JSON text: finds the path at a position, and edits one member in place.

An edit leaves every other byte as the caller sent it.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

# A string, perhaps unfinished, or punctuation; white space, numbers and literals are skipped.
TOKEN = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"?|[{}\[\],:]', re.DOTALL)
WHITE_SPACE = b" \t\r\n"
MAX_PATH_CHARS = 200  # a path may contain the caller's own keys
BLOCK = 65_536  # bytes in which lines are counted at once


@dataclass
class Level:
    """An open object or array, and the key or index of the current member."""

    is_object: bool
    key: bytes = b'""'
    index: int = 0

    def __str__(self) -> str:
        key = _decode_string(self.key)[:MAX_PATH_CHARS]
        return f".{key}" if self.is_object else f"[{self.index}]"


@dataclass
class PathTracker:
    """Follows the tokens of a JSON text, and knows the path of the current one."""

    levels: list[Level] = field(default_factory=list)
    last_string: bytes = b'""'

    def advance(self, token: bytes) -> None:
        match token:
            case b"{" | b"[":
                self.levels.append(Level(is_object=token == b"{"))
            case b"}" | b"]":
                del self.levels[-1:]
            case b":" if self.levels:
                self.levels[-1].key = self.last_string
            case b"," if self.levels:
                self.levels[-1].index += 1
            case _:
                self.last_string = token

    @property
    def path(self) -> str:
        return "".join(map(str, self.levels)).removeprefix(".")[:MAX_PATH_CHARS]


@dataclass(frozen=True)
class Member:
    """The byte offsets of one member of an object; the ends are exclusive."""

    key_start: int
    key_end: int
    value_start: int
    value_end: int


def path_at(body: bytes, line: int, column: int) -> str:
    """Return the path at a position, such as `input[0].text`; empty outside of all members.

    Lines and columns begin at 1; a column is a number of bytes.
    """
    tracker = PathTracker()
    for match in TOKEN.finditer(body, 0, offset_of(body, line, column)):
        tracker.advance(match[0])
    return tracker.path


def offset_of(body: bytes, line: int, column: int) -> int:
    """Return the number of bytes up to and with the one at a position."""
    start, lines = 0, line - 1
    while start < len(body) and lines > (ends := body.count(b"\n", start, start + BLOCK)):
        start, lines = start + BLOCK, lines - ends
    for _ in range(lines):
        start = body.index(b"\n", start) + 1
    return start + column


def find_member(body: bytes, name: str) -> Member | None:
    """Find a top-level member of a JSON text that is valid and has no duplicate keys."""
    return next((member for key, member in _find_members(body) if key == name), None)


def replace_value(body: bytes, name: str, value: str) -> bytes:
    """Replace a top-level member's value by a string; return a body without it unchanged."""
    member = find_member(body, name)
    if member is None:
        return body
    return _splice(body, member.value_start, value, member.value_end)


def set_false(body: bytes, name: str) -> bytes:
    """Set a top-level member to false; one that is missing becomes the first."""
    member = find_member(body, name)
    if member is not None:
        return body[: member.value_start] + b"false" + body[member.value_end :]
    start = body.index(b"{") + 1
    return b"".join((body[:start], json.dumps(name).encode(), b":false,", body[start:]))


def replace_key(body: bytes, name: str, new_name: str) -> bytes:
    """Rename a top-level member; return a body without it unchanged."""
    member = find_member(body, name)
    if member is None:
        return body
    return _splice(body, member.key_start, new_name, member.key_end)


def _splice(body: bytes, start: int, string: str, end: int) -> bytes:
    """Replace a range of bytes by a string; the rest is copied once."""
    rest = memoryview(body)
    return b"".join((rest[:start], json.dumps(string).encode(), rest[end:]))


def _find_members(body: bytes) -> Iterator[tuple[str, Member]]:
    depth, key, after_colon = 0, (0, 0), 0
    for match in TOKEN.finditer(body):
        token = match[0]
        if depth == 1 and token in (b",", b"}"):
            name = _decode_string(body[slice(*key)])
            yield name, _build_member(body, key, after_colon, match.start())
            after_colon = 0
        elif depth == 1 and token == b":":
            after_colon = match.end()
        elif depth == 1 and not after_colon:
            key = match.span()
        depth += (token in (b"{", b"[")) - (token in (b"}", b"]"))


def _build_member(body: bytes, key: tuple[int, int], after_colon: int, end: int) -> Member:
    """Remove the white space around the value."""
    value = body[after_colon:end]
    value_start = after_colon + len(value) - len(value.lstrip(WHITE_SPACE))
    return Member(*key, value_start, after_colon + len(value.rstrip(WHITE_SPACE)))


def _decode_string(string: bytes) -> str:
    try:
        return str(json.loads(string))
    except ValueError:  # an unfinished string in invalid JSON
        return string.strip(b'"').decode("utf-8", "replace")
