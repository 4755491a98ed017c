"""Errors that lack what OpenAI's clients look for get it; what is there stays byte for byte.

Azure's own lack `type` and `param`, those of the gateway in front of it lack `error` itself.
"""

import json
import re
from collections.abc import Mapping
from typing import Any

BEFORE_ERROR = re.compile(r"""\s*\{\s*"error"\s*:\s*(?=\{)""")
TYPES = {429: "rate_limit_error"}
BROKEN = 500


def completed(status: int, body: bytes) -> bytes:
    """Add the missing ones of `message`, `type`, `param` and `code`."""
    try:
        text = body.decode()
        told = json.loads(text)
    except ValueError:  # a page of a proxy: clients tell it by its status
        return body
    if not isinstance(told, dict) or not isinstance(told.get("error", {}), dict):
        return body
    if "error" not in told:
        error = _lacking(told, status)
        return f'{{"error":{json.dumps(error)},{text.lstrip()[1:]}'.encode() if told else body
    lacking = _lacking(told["error"], status)
    missing = {name: value for name, value in lacking.items() if name not in told["error"]}
    return _with(text, told, missing).encode() if missing else body


def _lacking(error: Mapping[str, Any], status: int) -> dict[str, Any]:
    """The four of OpenAI's envelope, as far as they can be known."""
    kind = "server_error" if status >= BROKEN else "invalid_request_error"
    return {
        "message": str(error.get("message") or f"The provider answered with status {status}."),
        "type": TYPES.get(status, kind),
        "param": None,
        "code": error.get("code"),
    }


def _with(text: str, told: dict[str, Any], missing: Mapping[str, Any]) -> str:
    found = BEFORE_ERROR.match(text)
    if found is None:  # an unusual order of keys
        return json.dumps({**told, "error": {**told["error"], **missing}}, ensure_ascii=False)
    _, end = json.JSONDecoder().raw_decode(text, found.end())
    more = json.dumps(missing)[1:-1]
    comma = ", " if told["error"] else ""
    return f"{text[: end - 1]}{comma}{more}{text[end - 1 :]}"
