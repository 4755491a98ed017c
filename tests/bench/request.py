"""The request that every contestant gets: a create of 2 KB, and the stream that it wants of the provider."""

import json
from dataclasses import dataclass
from functools import cache

from infra.local.http.events import build_url_event
from infra.local.http.request import HttpRequest

KEY = "sk-bench-0123456789"
MODEL = "gpt-4.1"
PATH = "/v1/responses"
TEXT = "word " * 300
type Headers = tuple[tuple[str, str], ...]

HEADERS: Headers = (
    ("Authorization", f"Bearer {KEY}"),
    ("Content-Type", "application/json"),
    ("Accept", "*/*"),
    ("User-Agent", "bench"),
)


@dataclass(frozen=True)
class Ask:
    """A whole answer, or a stream with so many deltas, so many milliseconds from each other."""

    deltas: int = 0
    pace_ms: float = 0
    stream: bool = True
    previous: str | None = None  # the id of the response that it continues

    @property
    def body(self) -> bytes:
        content = [{"type": "input_text", "text": TEXT}]
        continued = {"previous_response_id": self.previous} if self.previous else {}
        return json.dumps(
            {
                "model": MODEL,
                "stream": self.stream,
                "input": [{"role": "user", "content": content}],
                "instructions": f"bench-n{self.deltas}-d{self.pace_ms:g}",
                "metadata": {"team": "a"},
                **continued,
            }
        ).encode()


WHOLE = Ask(stream=False)
EMPTY = Ask()  # a stream with nothing but its eight fixed events


@cache
def http(ask: Ask, host: str, more: Headers = ()) -> bytes:
    """As HTTP/1.1, with the headers that one server needs."""
    fields = (*HEADERS, *more, ("Host", host), ("Content-Length", str(len(ask.body))))
    lines = "".join(f"{name}: {value}\r\n" for name, value in fields)
    return f"POST {PATH} HTTP/1.1\r\n{lines}\r\n".encode() + ask.body


@cache
def event(ask: Ask) -> bytes:
    """As a Function URL's event."""
    call = HttpRequest("POST", PATH, "", (("Host", "bench"), *HEADERS), ask.body)
    return json.dumps(build_url_event(call)).encode()
