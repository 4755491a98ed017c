"""Builds and encodes requests that hold nothing which could be a second request (RFC 9112)."""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import httpx

MAX_TARGET = 65_536  # characters of path and query
MAX_CACHED_URL = 512
MAX_PORT = 65_535
PORTS = {"http": 80, "https": 443}
URL = re.compile(r"https?://(?:\[[0-9A-Fa-f:.]+\]|[^/?#@:\s]+)(?::[0-9]*)?(/[!\"$-~]*)")
DOT_SEGMENT = re.compile(r"/\.\.?(/|$)")  # a server may find another path than was meant
TOKEN = rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
VALUE = rb"(?:[!-~](?:[\t -~]*[!-~])?)?"
REQUEST_HEAD = re.compile(
    TOKEN + rb" /[!-~]* HTTP/1\.1\r\n(?:" + TOKEN + b": " + VALUE + rb"\r\n)*\r\n"
)
HAVE_BODIES = {"POST", "PUT", "PATCH"}


def build_request(
    method: str,
    url: str,
    headers: Mapping[str, str],
    body: bytes = b"",
    extensions: Mapping[str, Any] | None = None,
) -> httpx.Request:
    """Return a request with Host, Accept, Connection and Content-Length added.

    Raise UnsupportedProtocol or LocalProtocolError where URL or headers cannot be sent. Path and
    query are sent as they are, except that httpx encodes what RFC 3986 does not allow.
    """
    parse = _parse_url if len(url) <= MAX_CACHED_URL else _parse_url.__wrapped__
    parsed, authority = parse(url)
    fields = {"host": authority, "accept": "*/*", "connection": "keep-alive", **headers}
    if body or method in HAVE_BODIES:
        fields["content-length"] = str(len(body))
    try:
        request = httpx.Request(
            method, parsed, headers=fields, stream=httpx.ByteStream(body), extensions=extensions
        )
    except UnicodeEncodeError:
        raise httpx.LocalProtocolError("A header cannot be sent as it is.") from None
    encode_head(request)
    return request


def encode_head(request: httpx.Request) -> bytes:
    """Return the request line and headers; raise LocalProtocolError where they are not valid.

    A body must be of the length that Content-Length declares.
    """
    lines = [b"%b %b HTTP/1.1" % (request.method.encode(), request.url.raw_path)]
    lines += [b"%b: %b" % field for field in request.headers.raw]
    head = b"\r\n".join(lines) + b"\r\n\r\n"
    # As many lines as were written: no value contains a line of its own.
    if not REQUEST_HEAD.fullmatch(head) or head.count(b"\n") != len(lines) + 1:
        raise httpx.LocalProtocolError("A header cannot be sent as it is.")
    length = request.headers.get("content-length", "0")
    if length != str(len(request.read())) or "transfer-encoding" in request.headers:
        raise httpx.LocalProtocolError("The length of the body is not declared.")
    return head


@lru_cache(maxsize=256)
def _parse_url(text: str) -> tuple[httpx.URL, str]:
    """Return the URL and its authority as it stands in Host."""
    found = URL.fullmatch(text)
    if found is None or len(found[1]) > MAX_TARGET or DOT_SEGMENT.search(found[1].split("?")[0]):
        is_http = text.startswith(("http://", "https://"))
        refusal = httpx.LocalProtocolError if is_http else httpx.UnsupportedProtocol
        raise refusal("A request cannot be sent to this URL.")
    try:
        url = httpx.URL(text)
        url.raw_host.decode().encode("idna")  # refuses empty and long labels
    except (httpx.InvalidURL, UnicodeError):
        raise httpx.LocalProtocolError("The host or port of the URL is not valid.") from None
    if not url.raw_host or (url.port is not None and not 0 < url.port <= MAX_PORT):
        raise httpx.LocalProtocolError("The host or port of the URL is not valid.")
    return url, url.netloc.decode()
