"""Strict JSON: what two parsers could read differently is refused (RFC 8259, RFC 7493)."""

import math
import re
from typing import Any

import jiter

from antiphon.errors import InvalidRequest
from antiphon.schema.places import path_at

MAX_DEPTH = 100
MARKS = {b"\xef\xbb\xbf": "UTF-8", b"\xff\xfe": "UTF-16", b"\xfe\xff": "UTF-16"}
PLACE = re.compile(r" at line (\d+) column (\d+)$")
NOT_A_NUMBER = re.compile(rb"-?\s*(NaN|Infinity)")
TOP = re.compile(r"[.\[]")
WHOLE = "body"  # `param` where no single member is to blame


def read(body: bytes) -> dict[str, Any]:
    """Parse a request's body; raise InvalidRequest that says what is wrong, and where."""
    if not body.strip():
        raise _refusal("it is empty", WHOLE)
    for mark, name in MARKS.items():
        if body.startswith(mark):
            raise _refusal(f"it begins with a {name} byte-order mark (line 1, column 1)", WHOLE)
    try:
        document = jiter.from_json(body, catch_duplicate_keys=True, allow_inf_nan=False)
    except ValueError as exc:
        raise _located(body, str(exc)) from exc
    if not isinstance(document, dict):
        raise _refusal("it must be a JSON object", WHOLE)
    _check_values(document)
    return document


def _located(body: bytes, fault: str) -> InvalidRequest:
    place = PLACE.search(fault)
    if place is None:
        return _refusal(fault, WHOLE)
    line, column = int(place[1]), int(place[2])
    what, param = fault[: place.start()], path_at(body, line, column) or WHOLE
    if what == "recursion limit exceeded":
        return _too_deep(TOP.split(param, maxsplit=1)[0])
    if NOT_A_NUMBER.match(_from(body, line, column)):
        what = "NaN and Infinity are not JSON numbers"
    return _refusal(f"{what} (line {line}, column {column}, at '{param}')", param)


def _from(body: bytes, line: int, column: int) -> bytes:
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
            param = _first(document, lambda v: type(v) is float and not math.isfinite(v))
            raise _refusal(f"the number at '{param}' is out of range", param)
        floor = [child for child in children if type(child) in (dict, list)]
        if not floor:
            return
    raise _too_deep(max(document, key=lambda key: _depth(document[key])))


def _first(node: Any, is_wanted: Any, path: str = "") -> str:
    if is_wanted(node):
        return path.removeprefix(".")
    members = node.items() if isinstance(node, dict) else ()
    items = enumerate(node) if isinstance(node, list) else ()
    steps = [(f"{path}.{key}", child) for key, child in members]
    steps += [(f"{path}[{n}]", child) for n, child in items]
    return next((found for step, child in steps if (found := _first(child, is_wanted, step))), "")


def _depth(node: Any) -> int:
    children = node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
    return 1 + max(map(_depth, children), default=0)


def _too_deep(member: str) -> InvalidRequest:
    """Name only the top-level member: the whole path would help nobody."""
    return _refusal(f"it is nested more than {MAX_DEPTH} levels deep, at '{member}'", member)


def _refusal(what: str, param: str) -> InvalidRequest:
    return InvalidRequest(
        f"The JSON body could not be read: {what}.", param=param, code="invalid_json"
    )
