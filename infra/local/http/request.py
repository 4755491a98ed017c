"""An HTTP request as AWS's endpoints receive it, from which they build a Lambda event."""

import base64
import re
import time
import uuid
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from urllib.parse import parse_qsl

from aiohttp import web

from antiphon.schema.multipart import is_form

REPLACED = {"x-forwarded-port", "x-forwarded-proto"}
HOP_BY_HOP = {"connection", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding"}
_TEXT = re.compile(
    r"text/|application/(.+\+)?(json|xml|javascript|x-www-form-urlencoded)\s*(;|$)", re.IGNORECASE
)

type Pairs = tuple[tuple[str, str], ...]
type BodyFields = tuple[str | None, bool]  # `body` and `isBase64Encoded` of an event


class TooLarge(Exception):
    """The body is more than the endpoint accepts."""


@dataclass(frozen=True)
class HttpRequest:
    """A whole request; header names and values are latin-1 text in their received order."""

    method: str
    path: str  # from the request line, still percent-encoded: both endpoints pass it on like this
    query: str
    headers: Pairs
    body: bytes = b""
    source: str = "127.0.0.1"  # the client's address
    port: int = 80
    protocol: str = "HTTP/1.1"
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    received: float = field(default_factory=time.time)  # Unix time in seconds

    @property
    def parameters(self) -> list[tuple[str, str]]:
        return parse_qsl(self.query, keep_blank_values=True)

    @property
    def epoch_ms(self) -> int:
        return int(self.received * 1000)

    @property
    def formatted_time(self) -> str:
        """In the format of access logs, as requestContext has it."""
        return datetime.fromtimestamp(self.received, UTC).strftime("%d/%b/%Y:%H:%M:%S +0000")

    def header(self, name: str) -> str | None:
        """The first value of the header; `name` in lower case."""
        return next((value for given, value in self.headers if given.lower() == name), None)

    def forwarded_headers(self) -> Iterator[tuple[str, str]]:
        """The headers of the event: without hop-by-hop headers, with AWS's X-Forwarded-*."""
        yield from (pair for pair in self.headers if pair[0].lower() not in HOP_BY_HOP | REPLACED)
        yield "X-Forwarded-For", self.source
        yield "X-Forwarded-Port", str(self.port)
        yield "X-Forwarded-Proto", "http"

    @property
    def content_type(self) -> str:
        return (self.header("content-type") or "").strip()

    def url_body(self) -> BodyFields:
        """The body as a Function URL passes it on: UTF-8 text of types for text is not encoded."""
        if not self.body:
            return None, False
        if not self.content_type or _TEXT.match(self.content_type):
            with suppress(UnicodeDecodeError):
                return self.body.decode(), False
        return self._encoded_body()

    def rest_body(self) -> BodyFields:
        """The body as API Gateway passes it on: only forms are encoded, by `binaryMediaTypes`.

        Everything else is text, and bytes that are no UTF-8 are replaced.
        """
        if not self.body:
            return None, False
        if is_form(self.content_type):
            return self._encoded_body()
        return self.body.decode(errors="replace"), False

    def _encoded_body(self) -> BodyFields:
        return base64.b64encode(self.body).decode(), True


def group_values(pairs: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    """The values of each name, in their order."""
    values: dict[str, list[str]] = {}
    for name, value in pairs:
        values.setdefault(name, []).append(value)
    return values


async def read_request(request: web.BaseRequest, max_body_bytes: int) -> HttpRequest:
    """Read the whole request; raise TooLarge before more is read than the endpoint accepts."""
    path, _, query = request.raw_path.partition("?")
    address = request.get_extra_info("sockname")
    return HttpRequest(
        method=request.method,
        path=path,
        query=query,
        headers=tuple((n.decode("latin-1"), v.decode("latin-1")) for n, v in request.raw_headers),
        body=await _read_body(request, max_body_bytes),
        source=request.remote or "127.0.0.1",
        port=address[1] if address else 0,
        protocol="HTTP/{}.{}".format(*request.version),
    )


async def _read_body(request: web.BaseRequest, limit: int) -> bytes:
    if (request.content_length or 0) > limit:
        raise TooLarge
    if request.headers.get("expect", "").lower() == "100-continue":
        await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        request.writer.output_size = 0  # aiohttp must not count it as part of the response
    body = bytearray()
    async for piece in request.content.iter_any():
        body += piece
        if len(body) > limit:
            raise TooLarge
    return bytes(body)
