"""What one call gave."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import httpx

PRELUDE_END = bytes(8)  # behind the status and headers that a streaming function sends first
LONGEST_QUOTE = 160  # characters of a body that is not JSON
ENVELOPE = {"message", "type", "param", "code"}

type Json = Mapping[str, Any]


@dataclass(frozen=True)
class Answer:
    """A whole answer; `seconds` is how long it took."""

    status: int
    headers: httpx.Headers
    body: bytes
    seconds: float

    @property
    def is_ok(self) -> bool:
        return self.status == HTTPStatus.OK

    @property
    def json(self) -> Json:
        """The object in the body, an empty one where there is none."""
        return object_of(self.body)

    @property
    def error(self) -> Json:
        """The value of `error` in OpenAI's envelope, empty where there is none."""
        found = self.json.get("error")
        return found if isinstance(found, dict) else {}

    @property
    def enveloped(self) -> bool:
        return self.error.keys() >= ENVELOPE

    @property
    def shows_prelude(self) -> bool:
        """Whether what only AWS should read came through: nobody streams here."""
        return PRELUDE_END in self.body and b"statusCode" in self.body

    @property
    def said(self) -> str:
        """In one line: the status, and the error's own words or the body's first ones."""
        message = self.error.get("message") or self.body[:LONGEST_QUOTE].decode("utf-8", "replace")
        code = self.error.get("code")
        return " ".join(f"{self.status}{f' {code}' if code else ''}: {message}".split())


def object_of(text: bytes | str) -> Json:
    try:
        value = json.loads(text)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}
