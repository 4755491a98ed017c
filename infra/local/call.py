"""One HTTP request as a door of AWS sees it, on its way to becoming a Lambda event."""

import base64
import re
import time
import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from urllib.parse import parse_qsl

type Pairs = tuple[tuple[str, str], ...]

OURS = {"x-forwarded-port", "x-forwarded-proto"}
HOP_BY_HOP = {"connection", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding"}
_TEXT = re.compile(
    r"text/|application/(.+\+)?(json|xml|javascript|x-www-form-urlencoded)\s*(;|$)", re.IGNORECASE
)


@dataclass(frozen=True)
class Call:
    """Header names and values are text in latin-1, in the order in which they came."""

    method: str
    path: str  # as it stood in the request line, still encoded: both doors pass it on so
    query: str
    headers: Pairs
    body: bytes = b""
    source: str = "127.0.0.1"
    port: int = 80
    protocol: str = "HTTP/1.1"
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    received: float = field(default_factory=time.time)

    @property
    def parameters(self) -> list[tuple[str, str]]:
        return parse_qsl(self.query, keep_blank_values=True)

    @property
    def epoch_ms(self) -> int:
        return int(self.received * 1000)

    @property
    def clock(self) -> str:
        return datetime.fromtimestamp(self.received, UTC).strftime("%d/%b/%Y:%H:%M:%S +0000")

    def header(self, name: str) -> str | None:
        return next((value for given, value in self.headers if given.lower() == name), None)

    def passed_on(self) -> Iterator[tuple[str, str]]:
        """The headers as the function sees them: AWS says who called, and keeps the framing."""
        yield from (pair for pair in self.headers if pair[0].lower() not in HOP_BY_HOP | OURS)
        yield "X-Forwarded-For", self.source
        yield "X-Forwarded-Port", str(self.port)
        yield "X-Forwarded-Proto", "http"

    def body_fields(self) -> tuple[str | None, bool]:
        """The event's body and whether it is base64: text stays text wherever it can."""
        if not self.body:
            return None, False
        if (text := self._text()) is not None:
            return text, False
        return base64.b64encode(self.body).decode(), True

    def _text(self) -> str | None:
        kind = self.header("content-type")
        if kind and not _TEXT.match(kind.strip()):
            return None
        try:
            return self.body.decode()
        except UnicodeDecodeError:
            return None


def grouped(pairs: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    """Values by name, in their order."""
    values: dict[str, list[str]] = {}
    for name, value in pairs:
        values.setdefault(name, []).append(value)
    return values
