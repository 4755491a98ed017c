"""Strict JSON: refuses what two parsers could read differently (RFC 8259, RFC 7493)."""

import math
import re
from collections.abc import Callable
from typing import Any

import jiter

from antiphon.errors import InvalidRequest
from antiphon.schema.json_offsets import path_at

MAX_DEPTH = 100
BYTE_ORDER_MARKS = {b"\xef\xbb\xbf": "UTF-8", b"\xff\xfe": "UTF-16", b"\xfe\xff": "UTF-16"}
ERROR_POSITION = re.compile(r" at line (\d+) column (\d+)$")
NOT_A_NUMBER = re.compile(rb"-?\s*(NaN|Infinity)")
PATH_SEPARATOR = re.compile(r"[.\[]")
WHOLE_BODY = "body"  # `param` of an error that concerns no single member


def read_document(body: bytes) -> dict[str, Any]:
    """Parse a request body; raise InvalidRequest with the error and its position."""
    if not body.strip():
        raise _invalid_json("it is empty", WHOLE_BODY)
    for mark, encoding in BYTE_ORDER_MARKS.items():
        if body.startswith(mark):
            raise _invalid_json(
                f"it begins with a {encoding} byte-order mark (line 1, column 1)", WHOLE_BODY
            )
    try:
        document = jiter.from_json(body, catch_duplicate_keys=True, allow_inf_nan=False)
    except ValueError as exc:
        raise _syntax_error(body, str(exc)) from exc
    if not isinstance(document, dict):
        raise _invalid_json("it must be a JSON object", WHOLE_BODY)
    _check_values(document)
    return document


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
    return _invalid_json(f"{reason} (line {line}, column {column}, at '{param}')", param)


def _value_at(body: bytes, line: int, column: int) -> bytes:
    """Return the first bytes of the value that begins at about this column."""
    text = body.split(b"\n", line)[line - 1]
    return text[max(0, column - 2) :].lstrip(b"-: \t\r")[:16]


def _check_values(document: dict[str, Any]) -> None:
    """Check depth and numbers, level by level (jiter parses 1e999 as infinity)."""
    level: list[Any] = [document]
    for _ in range(MAX_DEPTH):
        children: list[Any] = []
        for node in level:
            children.extend(node.values() if type(node) is dict else node)
        if any(map(_is_infinite, children)):
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
    members = node.items() if isinstance(node, dict) else ()
    items = enumerate(node) if isinstance(node, list) else ()
    children = [(f"{path}.{key}", child) for key, child in members]
    children += [(f"{path}[{n}]", child) for n, child in items]
    paths = (_find_path(child, is_wanted, child_path) for child_path, child in children)
    return next(filter(None, paths), "")


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
