"""The head of an answer, read strictly: what is not as RFC 9112 has it is not guessed at."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from antiphon.relay.transport.errors import Malformed
from antiphon.relay.transport.reader import Reader

LONGEST_HEAD = 102_400  # bytes, with those of interim answers before it
STATUS_LINE = re.compile(rb"HTTP/1\.([01]) ([1-9][0-9]{2})(?: [^\x00-\x08\x0a-\x1f\x7f]*)?")
FIELD = re.compile(
    rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[\t ]*((?:[^\x00-\x08\x0a-\x1f\x7f]*[^\x00-\x20\x7f])?)[\t ]*"
)
FIRST_FINAL = 200
SWITCHING = 101  # which nobody has asked for


@dataclass(frozen=True)
class Head:
    status: int
    headers: Mapping[str, str]  # names in lower case; those that came more often, joined by commas
    persistent: bool  # whether the connection may carry another request


def read_head(reader: Reader) -> Head:
    """The final one: interim ones (RFC 9110, 15.2) are passed over."""
    left = LONGEST_HEAD
    while True:
        lines = list(_lines(reader, left))
        left -= sum(map(len, lines)) + 2 * len(lines)
        head = _parsed(lines)
        if head.status == SWITCHING:
            raise Malformed("The provider speaks another protocol from here on.")
        if head.status >= FIRST_FINAL:
            return head


def fields(lines: list[bytes]) -> dict[str, str]:
    found: dict[str, str] = {}
    for line in lines:
        field = FIELD.fullmatch(line)
        if field is None:
            raise Malformed("A line is no header.")
        name, value = field[1].decode("ascii").lower(), _text(field[2])
        found[name] = f"{found[name]}, {value}" if name in found else value
    return found


def section(reader: Reader, most: int) -> Iterator[bytes]:
    """The lines until an empty one; raise Malformed where they have more bytes than this."""
    while line := reader.line(most):
        most -= len(line) + 2
        yield line


def tokens(value: str) -> set[str]:
    return {token.strip().lower() for token in value.split(",")}


def _lines(reader: Reader, most: int) -> Iterator[bytes]:
    status_line = reader.line(most)
    yield status_line
    yield from section(reader, most - len(status_line) - 2)


def _parsed(lines: list[bytes]) -> Head:
    found = STATUS_LINE.fullmatch(lines[0])
    if found is None:
        raise Malformed("The answer does not begin as one of HTTP/1.1 does.")
    headers = fields(lines[1:])
    closes = "close" in tokens(headers.get("connection", ""))
    return Head(int(found[2]), headers, found[1] == b"1" and not closes)


def _text(value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value.decode("latin-1")
