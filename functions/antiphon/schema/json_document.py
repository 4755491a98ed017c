"""Strict JSON: refuses what two parsers could read differently (RFC 8259, RFC 7493)."""

import math
import re
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any

import jiter

from antiphon.errors import InvalidRequest
from antiphon.schema.json_offsets import MAX_PATH_CHARS, offset_of, path_at

MAX_DEPTH = 100
MAX_VALUES = 100_000  # each takes up to 40 times the memory of its JSON
BYTE_ORDER_MARKS = {b"\xef\xbb\xbf": "UTF-8", b"\xff\xfe": "UTF-16", b"\xfe\xff": "UTF-16"}
ERROR_POSITION = re.compile(r" at line (\d+) column (\d+)$")
NOT_A_NUMBER = re.compile(rb"-?\s*(NaN|Infinity)")
PATH_SEPARATOR = re.compile(r"[.\[]")
# Up to a character before which a value ends or begins; strings are skipped.
NEXT_VALUE = re.compile(
    rb'[^"\[{,]*+(?:"[^"\\]*+(?:\\.[^"\\]*+)*+"?[^"\[{,]*+)*+(?:[\[{,]|\Z)', re.DOTALL
)
WHOLE_BODY = "body"  # `param` of an error that concerns no single member


def read_document(body: bytes) -> dict[str, Any]:
    """Parse a request body; raise InvalidRequest with the error and its position."""
    _check_bytes(body)
    try:
        document = jiter.from_json(body, catch_duplicate_keys=True, allow_inf_nan=False)
    except ValueError as exc:
        raise _syntax_error(body, str(exc)) from exc
    if not isinstance(document, dict):
        raise _invalid_json("it must be a JSON object", WHOLE_BODY)
    _check_values(document)
    return document


def _check_bytes(body: bytes) -> None:
    """Refuse what need not, or must not, be parsed to know that it is invalid."""
    if not body.strip():
        raise _invalid_json("it is empty", WHOLE_BODY)
    for mark, encoding in BYTE_ORDER_MARKS.items():
        if body.startswith(mark):
            reason = f"it begins with a {encoding} byte-order mark (line 1, column 1)"
            raise _invalid_json(reason, WHOLE_BODY)
    if _has_too_many_values(body):
        raise _invalid_json(f"it has more than {MAX_VALUES:,} values", WHOLE_BODY)


def _has_too_many_values(body: bytes) -> bool:
    """Count in most bodies with all characters, those of texts as well: that takes no time."""
    if sum(map(body.count, (b",", b"[", b"{"))) < MAX_VALUES:
        return False
    return next(islice(NEXT_VALUE.finditer(body), MAX_VALUES, None), None) is not None


def _syntax_error(body: bytes, message: str) -> InvalidRequest:
    """Build an error from jiter's message, which ends with the position."""
    position = ERROR_POSITION.search(message)
    if position is None:
        return _invalid_json(message, WHOLE_BODY)
    line, column = int(position[1]), int(position[2])
    reason, param = message[: position.start()], path_at(body, line, column) or WHOLE_BODY
    if reason == "recursion limit exceeded":
        return _too_deep(PATH_SEPARATOR.split(param, maxsplit=1)[0])
    if NOT_A_NUMBER.match(_value_at(body, line, column)):
        reason = "NaN and Infinity are not JSON numbers"
    reason = reason[:MAX_PATH_CHARS]  # it may contain a key
    return _invalid_json(f"{reason} (line {line}, column {column}, at '{param}')", param)


def _value_at(body: bytes, line: int, column: int) -> bytes:
    """Return the first bytes of the value that begins at about this column."""
    start = max(0, offset_of(body, line, column) - 2)
    return body[start : start + 100].lstrip(b"-: \t\r\n")[:16]


def _check_values(document: dict[str, Any]) -> None:
    """Check depth and numbers, level by level (jiter parses 1e999 as infinity)."""
    level: list[Any] = [document]
    for _ in range(MAX_DEPTH):
        children: list[Any] = []
        for node in level:
            children.extend(node.values() if type(node) is dict else node)
        if any(_is_infinite(child) for child in children if type(child) is float):
            param = _find_path(document, _is_infinite)
            raise _invalid_json(f"the number at '{param}' is out of range", param)
        level = [child for child in children if type(child) in (dict, list)]
        if not level:
            return
    raise _too_deep(max(document, key=lambda key: _depth(document[key])))


def _is_infinite(value: Any) -> bool:
    return type(value) is float and not math.isfinite(value)


def _find_path(node: Any, is_wanted: Callable[[Any], bool], path: str = "") -> str:
    """Return the path of the first wanted value; empty if there is none."""
    if is_wanted(node):
        return path.removeprefix(".")
    paths = (
        _find_path(child, is_wanted, child_path) for child_path, child in _children(node, path)
    )
    return next(filter(None, paths), "")


def _children(node: Any, path: str) -> Iterator[tuple[str, Any]]:
    if isinstance(node, dict):
        yield from ((f"{path}.{key}"[:MAX_PATH_CHARS], child) for key, child in node.items())
    elif isinstance(node, list):
        yield from ((f"{path}[{n}]"[:MAX_PATH_CHARS], child) for n, child in enumerate(node))


def _depth(node: Any) -> int:
    children = node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
    return 1 + max(map(_depth, children), default=0)


def _too_deep(member: str) -> InvalidRequest:
    """Build an error that names the top-level member: the whole path would be too long."""
    return _invalid_json(f"it is nested more than {MAX_DEPTH} levels deep, at '{member}'", member)


def _invalid_json(reason: str, param: str) -> InvalidRequest:
    return InvalidRequest(
        f"The JSON body could not be read: {reason}.", param=param, code="invalid_json"
    )
