"""Strict JSON: what two parsers could read differently is refused (RFC 8259, RFC 7493)."""

import math
import re
from typing import Any

import jiter

from antiphon.errors import InvalidRequest
from antiphon.schema.json_offsets import path_at

MAX_DEPTH = 100
BYTE_ORDER_MARKS = {b"\xef\xbb\xbf": "UTF-8", b"\xff\xfe": "UTF-16", b"\xfe\xff": "UTF-16"}
ERROR_POSITION = re.compile(r" at line (\d+) column (\d+)$")
NOT_A_NUMBER = re.compile(rb"-?\s*(NaN|Infinity)")
FIRST_STEP = re.compile(r"[.\[]")
WHOLE_BODY = "body"  # `param` where no single member is to blame


def read_document(body: bytes) -> dict[str, Any]:
    """Parse a request's body; raise InvalidRequest that says what is wrong, and where."""
    if not body.strip():
        raise _invalid_json("it is empty", WHOLE_BODY)
    for mark, name in BYTE_ORDER_MARKS.items():
        if body.startswith(mark):
            raise _invalid_json(
                f"it begins with a {name} byte-order mark (line 1, column 1)", WHOLE_BODY
            )
    try:
        document = jiter.from_json(body, catch_duplicate_keys=True, allow_inf_nan=False)
    except ValueError as exc:
        raise _error_at_position(body, str(exc)) from exc
    if not isinstance(document, dict):
        raise _invalid_json("it must be a JSON object", WHOLE_BODY)
    _check_values(document)
    return document


def _error_at_position(body: bytes, fault: str) -> InvalidRequest:
    place = ERROR_POSITION.search(fault)
    if place is None:
        return _invalid_json(fault, WHOLE_BODY)
    line, column = int(place[1]), int(place[2])
    what, param = fault[: place.start()], path_at(body, line, column) or WHOLE_BODY
    if what == "recursion limit exceeded":
        return _too_deep(FIRST_STEP.split(param, maxsplit=1)[0])
    if NOT_A_NUMBER.match(_bytes_at(body, line, column)):
        what = "NaN and Infinity are not JSON numbers"
    return _invalid_json(f"{what} (line {line}, column {column}, at '{param}')", param)


def _bytes_at(body: bytes, line: int, column: int) -> bytes:
    row = body.split(b"\n", line)[line - 1]
    return row[max(0, column - 2) :].lstrip(b"-: \t\r")[:16]


def _check_values(document: dict[str, Any]) -> None:
    """Look at every value, floor by floor: depth bounded, numbers finite (jiter passes 1e999)."""
    floor: list[Any] = [document]
    for _ in range(MAX_DEPTH):
        children: list[Any] = []
        for node in floor:
            children.extend(node.values() if type(node) is dict else node)
        if any(type(child) is float and not math.isfinite(child) for child in children):
            param = _find_path(document, lambda v: type(v) is float and not math.isfinite(v))
            raise _invalid_json(f"the number at '{param}' is out of range", param)
        floor = [child for child in children if type(child) in (dict, list)]
        if not floor:
            return
    raise _too_deep(max(document, key=lambda key: _depth(document[key])))


def _find_path(node: Any, is_wanted: Any, path: str = "") -> str:
    if is_wanted(node):
        return path.removeprefix(".")
    members = node.items() if isinstance(node, dict) else ()
    items = enumerate(node) if isinstance(node, list) else ()
    steps = [(f"{path}.{key}", child) for key, child in members]
    steps += [(f"{path}[{n}]", child) for n, child in items]
    return next(
        (found for step, child in steps if (found := _find_path(child, is_wanted, step))), ""
    )


def _depth(node: Any) -> int:
    children = node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
    return 1 + max(map(_depth, children), default=0)


def _too_deep(member: str) -> InvalidRequest:
    """Name only the top-level member: the whole path would help nobody."""
    return _invalid_json(f"it is nested more than {MAX_DEPTH} levels deep, at '{member}'", member)


def _invalid_json(what: str, param: str) -> InvalidRequest:
    return InvalidRequest(
        f"The JSON body could not be read: {what}.", param=param, code="invalid_json"
    )
