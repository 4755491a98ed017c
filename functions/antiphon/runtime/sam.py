"""The buffered proxy form, for `sam local`, whose parsers take no other."""

import base64
from collections.abc import Mapping
from typing import Any

from antiphon.runtime.answer import NEVER_EMPTY, Result, attach, body_of, close, prelude_of
from antiphon.runtime.stream import Outlet


def folded(result: Result) -> dict[str, Any]:
    prelude = prelude_of(result)
    multi = _with_cookies(prelude.get("multiValueHeaders", {}), prelude.get("cookies", []))
    return {"headers": {}, **prelude, "multiValueHeaders": multi, **_text(_collected(result))}


def _collected(result: Result) -> bytes:
    body = body_of(result)
    try:
        attach(body, Outlet())  # never opened: what is sent out of band has nobody waiting for it
        return b"".join(body) or NEVER_EMPTY
    finally:
        close(body)


def _with_cookies(headers: Mapping[str, list[str]], cookies: list[str]) -> dict[str, list[str]]:
    """Payload format 1.0 has no `cookies`, and 2.0 no headers of many values: give both."""
    if not cookies:
        return dict(headers)
    return {**headers, "Set-Cookie": [*headers.get("Set-Cookie", []), *cookies]}


def _text(body: bytes) -> dict[str, Any]:
    try:
        return {"body": body.decode(), "isBase64Encoded": False}
    except UnicodeDecodeError:
        return {"body": base64.b64encode(body).decode(), "isBase64Encoded": True}
