"""Where things stand in a JSON text: for messages that say where, and for splicing in place.

Changes one member of a JSON object and leaves every other byte as it came.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

# A string (perhaps unfinished) or a mark; what lies between is white space, numbers and words.
TOKEN = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"?|[{}\[\],:]', re.DOTALL)
BLANK = b" \t\r\n"


@dataclass
class Level:
    """One open object or array, and where in it we are."""

    is_object: bool
    key: bytes = b'""'
    index: int = 0

    def __str__(self) -> str:
        return f".{_decode_string(self.key)}" if self.is_object else f"[{self.index}]"


@dataclass
class PathTracker:
    """Goes through the tokens of a JSON text and knows the path to each."""

    levels: list[Level] = field(default_factory=list)
    last_string: bytes = b'""'

    def step(self, token: bytes) -> None:
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
        return "".join(map(str, self.levels)).removeprefix(".")


def path_at(body: bytes, line: int, column: int) -> str:
    """The path of what stands at a place (lines and columns from 1, in bytes): `input[0].text`."""
    starts = [0, *(found.end() for found in re.finditer(rb"\n", body))]
    walk = PathTracker()
    for token in TOKEN.findall(body, 0, starts[line - 1] + column):
        walk.step(token)
    return walk.path


@dataclass(frozen=True)
class Member:
    """Places of one member of the outermost object: bytes from `start` up to `end`."""

    key_start: int
    key_end: int
    value_start: int
    value_end: int


def find_member(body: bytes, name: str) -> Member | None:
    """Find a member of the outermost object of a valid JSON text that names no key twice."""
    return next((found for key, found in _members(body) if key == name), None)


def _members(body: bytes) -> Iterator[tuple[str, Member]]:
    depth, key, colon = 0, (0, 0), 0
    for token in TOKEN.finditer(body):
        mark = token[0]
        if depth == 1 and mark in (b",", b"}"):
            yield _decode_string(body[slice(*key)]), _member(body, key, colon, token.start())
            colon = 0
        elif depth == 1 and mark == b":":
            colon = token.end()
        elif depth == 1 and not colon:
            key = token.span()
        depth += (mark in (b"{", b"[")) - (mark in (b"}", b"]"))


def _member(body: bytes, key: tuple[int, int], colon: int, end: int) -> Member:
    value = body[colon:end]
    start = colon + len(value) - len(value.lstrip(BLANK))
    return Member(*key, start, colon + len(value.rstrip(BLANK)))


def _decode_string(string: bytes) -> str:
    try:
        return str(json.loads(string))
    except ValueError:  # an unfinished string, in a text that is not JSON
        return string.strip(b'"').decode("utf-8", "replace")


def replace_value(body: bytes, name: str, new: str) -> bytes:
    """Give a top-level member another string as its value; a body without it stays as it is."""
    found = find_member(body, name)
    if found is None:
        return body
    return body[: found.value_start] + json.dumps(new).encode() + body[found.value_end :]


def replace_key(body: bytes, name: str, new: str) -> bytes:
    """Give a top-level member another name; a body without it stays as it is."""
    found = find_member(body, name)
    if found is None:
        return body
    return body[: found.key_start] + json.dumps(new).encode() + body[found.key_end :]
