"""HTTP/1.1 messages without I/O: requests encoded strictly, responses parsed by llhttp.

A request holds nothing that could be a second request. What llhttp does not check in a response
is checked here (RFC 9110, RFC 9112).
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, NamedTuple, Protocol, Self

import httptools
import httpx

MAX_TARGET = 65_536  # characters of path and query
MAX_CACHED_URL = 512
MAX_PORT = 65_535
type Origin = tuple[str, str, int]  # scheme, host without brackets, port
PORTS = {"http": 80, "https": 443}
URL = re.compile(r"https?://(?:\[[0-9A-Fa-f:.]+\]|[^/?#@:\s]+)(?::[0-9]*)?(/[!\"$-~]*)")
DOT_SEGMENT = re.compile(r"/\.\.?(/|$)")  # a server may find another path than was meant
TOKEN = rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
VALUE = rb"(?:[!-~](?:[\t -~]*[!-~])?)?"
REQUEST_HEAD = re.compile(
    TOKEN + rb" /[!-~]* HTTP/1\.1\r\n(?:" + TOKEN + b": " + VALUE + rb"\r\n)*\r\n"
)
HAVE_BODIES = {"POST", "PUT", "PATCH"}
HEAD = "antiphon_head"  # extension: the encoded head of a request, which nothing changes any more


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
    place, fields = _complete(method, url, headers, len(body))
    try:
        request = httpx.Request(
            method, place.url, headers=fields, stream=httpx.ByteStream(body), extensions=extensions
        )
    except UnicodeEncodeError:
        raise httpx.LocalProtocolError("A header cannot be sent as it is.") from None
    request.extensions[HEAD] = encode_head(request)
    return request


def encode_head(request: httpx.Request) -> bytes:
    """Return the request line and headers; raise LocalProtocolError where they are not valid.

    A body must be of the length that Content-Length declares.
    """
    lines = [b"%b: %b\r\n" % field for field in request.headers.raw]
    head = _join_head(request.method, request.url, b"".join(lines), len(lines))
    length = request.headers.get("content-length", "0")
    if length != str(len(request.read())) or "transfer-encoding" in request.headers:
        raise httpx.LocalProtocolError("The length of the body is not declared.")
    return head


def request_head(
    method: str, url: str, headers: Mapping[str, str], length: int
) -> tuple["Place", bytes]:
    """Return the parsed URL and the head of a request whose body has this length.

    It is that of `build_request`, without httpx's objects, and it raises what that raises.
    """
    place, fields = _complete(method, url, headers, length)
    lines = [f"{name}: {value}\r\n" for name, value in fields.items()]
    try:
        encoded = "".join(lines).encode("ascii")
    except UnicodeEncodeError:
        raise httpx.LocalProtocolError("A header cannot be sent as it is.") from None
    return place, _join_head(method, place.url, encoded, len(lines))


def _complete(
    method: str, url: str, headers: Mapping[str, str], length: int
) -> tuple["Place", dict[str, str]]:
    """Return the parsed URL, and all headers of a request with these."""
    parse = _parse_url if len(url) <= MAX_CACHED_URL else _parse_url.__wrapped__
    place = parse(url)
    fields = {"host": place.authority, "accept": "*/*", "connection": "keep-alive", **headers}
    if length or method in HAVE_BODIES:
        fields["content-length"] = str(length)
    return place, fields


def _join_head(method: str, url: httpx.URL, fields: bytes, count: int) -> bytes:
    """`fields`: so many lines."""
    head = b"%b %b HTTP/1.1\r\n%b\r\n" % (method.encode(), url.raw_path, fields)
    # As many lines as were written: no value contains a line of its own.
    if not REQUEST_HEAD.fullmatch(head) or head.count(b"\n") != count + 2:
        raise httpx.LocalProtocolError("A header cannot be sent as it is.")
    return head


class Place(NamedTuple):
    """A parsed URL; to take its parts from httpx's object takes some microseconds each time."""

    url: httpx.URL
    origin: Origin
    authority: str  # as it stands in Host

    @classmethod
    def of(cls, url: httpx.URL) -> Self:
        """Raise UnsupportedProtocol for another scheme."""
        if url.scheme not in PORTS:
            raise httpx.UnsupportedProtocol("The URL is not one of http or https.")
        origin = url.scheme, url.raw_host.decode(), url.port or PORTS[url.scheme]
        return cls(url, origin, url.netloc.decode())


@lru_cache(maxsize=256)
def _parse_url(text: str) -> Place:
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
    return Place.of(url)


MAX_HEAD = 102_400  # bytes, including the interim responses before the final one
MAX_CHUNK_LINE = 4_096
MAX_TRAILERS = 16_384
# llhttp does not report the length of a chunk line. What is neither body nor trailer is counted
# instead: so many bytes for each chunk, and MAX_CHUNK_LINE more between two reads.
CHUNK_ALLOWANCE = 256
END_OF_HEAD = b"\r\n\r\n"
STATUS_LINE = re.compile(rb"HTTP/1\.([01]) ([1-9][0-9]{2})(?: [^\x00-\x08\x0a-\x1f\x7f]*)?\r\n")
LENGTH = re.compile(rb"[0-9]{1,15}")
CONNECTION = b"connection"
CONTENT_LENGTH = b"content-length"
TRANSFER_ENCODING = b"transfer-encoding"
FRAMING = {CONNECTION, CONTENT_LENGTH, TRANSFER_ENCODING}
FIRST_FINAL = 200
SWITCHING_PROTOCOLS = 101
NO_BODY = {204, 304}
GZIP = {"gzip", "x-gzip"}
OF_CODED_BODY = {b"content-encoding", CONTENT_LENGTH}
REFUSED_CODINGS = {"br", "compress", "deflate", "zstd"}  # any other name is not a compression


class ResponseParser:
    """One response without I/O: `feed_head` until the head is there, then `feed`.

    The methods named `on_…` are called by llhttp.
    """

    def __init__(self, method: str) -> None:
        self._method = method
        self._buffer = b""  # received, not yet known to be head or body
        self._parsed = 0  # bytes of the buffer that llhttp has
        self._head_left = MAX_HEAD
        self._is_chunked = False
        self._is_persistent = False
        self.has_declared_end = True
        self._has_surplus = False  # something follows the response
        self._chunks = 0  # begun in the current read
        self._framing_size = 0  # bytes since the last chunk began
        self._trailers_size = 0
        self._tail = b""
        self.status = 0  # once the final head is complete
        self.pieces: list[bytes] = []
        self.error: httpx.RemoteProtocolError | None = None  # raised after `pieces` are taken
        self._start()

    @property
    def can_reuse_connection(self) -> bool:
        """Whether the response was read to its end and another may follow it."""
        is_read = self.is_complete and not self.pieces and self.error is None
        return is_read and self._is_persistent and not self._has_surplus

    def feed_head(self, data: bytes) -> bool:
        """Return whether the final head is complete; interim ones (RFC 9110, 15.2) are skipped.

        Raise RemoteProtocolError where it is not HTTP/1.1.
        """
        self._buffer += data
        while self._buffer and not self.status:
            found = self._buffer.find(END_OF_HEAD, max(self._parsed - 3, 0))
            end = len(self._buffer) if found < 0 else found + len(END_OF_HEAD)
            if end > self._head_left:
                raise httpx.RemoteProtocolError("The head of the response is too long.")
            self._parse_head(self._buffer[self._parsed : end])
            self._parsed = end
            if found < 0:
                break
            self._finish_head()
        return self.status > 0

    def feed(self, data: bytes) -> None:
        """Parse more of the body into `pieces`; no data is the end of the connection."""
        if not data:
            self._finish_connection()
            return
        self._chunks = 0
        try:
            self._llhttp.feed_data(data)
        except httptools.HttpParserError:
            if not self.is_complete:
                self._fail("The body of the response is not valid HTTP/1.1.")
            self._has_surplus = True
        framing = len(data) - sum(map(len, self.pieces))
        if self._is_chunked:
            self._check_chunks(data, framing)
        elif framing:  # only a body follows the head
            self._has_surplus = True

    def take(self) -> bytes:
        """Return the body that has arrived; there must be some."""
        pieces, self.pieces = self.pieces, []
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def on_message_begin(self) -> None:
        self._has_surplus = self.is_complete

    def on_header(self, name: bytes, value: bytes) -> None:
        value = value.rstrip(b"\t ")
        if self.status:
            if not self.is_complete:
                self._count_trailer(len(name) + len(value) + 4)
            return
        self.headers.append((name, value))
        if (known := name.lower()) in FRAMING:
            earlier = self._framing.get(known)
            self._framing[known] = value if earlier is None else earlier + b", " + value

    def on_chunk_header(self) -> None:
        self._chunks += 1

    def on_body(self, data: bytes) -> None:
        if not self.is_complete:
            self.pieces.append(data)

    def on_message_complete(self) -> None:
        self.is_complete = True

    def _start(self) -> None:
        self.headers: list[tuple[bytes, bytes]] = []
        self.is_complete = False
        self._framing: dict[bytes, bytes] = {}
        self._llhttp = httptools.HttpResponseParser(self)
        # Servers that reserve room for a chunk's size fill it with spaces (RFC 9112, 7.1.1: BWS).
        self._llhttp.set_dangerous_leniencies(lenient_spaces_after_chunk_size=True)

    def _parse_head(self, data: bytes) -> None:
        try:
            self._llhttp.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as exc:
            raise httpx.RemoteProtocolError("The response is not valid HTTP/1.1.") from exc

    def _finish_head(self) -> None:
        found = STATUS_LINE.match(self._buffer)
        if found is None:
            raise httpx.RemoteProtocolError("The status line is not valid HTTP/1.1.")
        rest = self._buffer[self._parsed :]
        self._head_left -= self._parsed
        self._buffer, self._parsed = b"", 0
        status = int(found[2])
        if status == SWITCHING_PROTOCOLS:
            raise httpx.RemoteProtocolError("The provider switches to another protocol.")
        if status < FIRST_FINAL:
            self._buffer = rest
            self._start()
            return
        self.status = status
        closes = b"close" in _tokens(self._framing.get(CONNECTION, b""))
        self._is_persistent = found[1] == b"1" and not closes
        self._begin_body(rest)

    def _begin_body(self, rest: bytes) -> None:
        """Decide where the body ends (RFC 9112, 6.3)."""
        if self._method == "HEAD" or self.status in NO_BODY:
            self.is_complete = True
        else:
            self._check_framing()
        if self.is_complete:
            self._has_surplus = bool(rest)
        elif rest:
            self.feed(rest)

    def _check_framing(self) -> None:
        coding = self._framing.get(TRANSFER_ENCODING)
        length = self._framing.get(CONTENT_LENGTH)
        if coding is not None and coding.lower() != b"chunked":
            raise httpx.RemoteProtocolError("The transfer coding is not supported.")
        if length is not None and not LENGTH.fullmatch(length):
            raise httpx.RemoteProtocolError("The content length is not valid.")
        self._is_chunked = coding is not None
        self.has_declared_end = coding is not None or length is not None

    def _check_chunks(self, data: bytes, framing: int) -> None:
        """Limit chunk lines, and find line ends after the last one, which llhttp skips."""
        self._framing_size += framing - CHUNK_ALLOWANCE * self._chunks
        if self._framing_size > MAX_CHUNK_LINE and not self._has_surplus:
            self._fail("The chunk lines of the response are too long.")
        if self._chunks:
            self._framing_size = 0
        self._tail = (self._tail + data[-5:])[-5:]
        if self.is_complete and (self._tail[1:] != END_OF_HEAD or self._tail[:1] in b"\r\n"):
            self._has_surplus = True

    def _count_trailer(self, size: int) -> None:
        self._framing_size -= size
        self._trailers_size += size
        if self._trailers_size > MAX_TRAILERS:
            self._fail("The trailers of the response are too long.")

    def _finish_connection(self) -> None:
        self._is_persistent = False
        if self.has_declared_end:
            self._fail("The connection ended before the response did.")
        else:
            self.is_complete = True

    def _fail(self, text: str) -> None:
        self.error = self.error or httpx.RemoteProtocolError(text)


class NetworkStream(Protocol):
    """The connection of a response, as in httpx's extensions."""

    def get_extra_info(self, info: str) -> Any: ...


@dataclass
class Received:
    """A response whose final head is there; it must be closed."""

    status: int
    fields: Sequence[tuple[bytes, bytes]]  # names and values of headers as they arrived
    stream: httpx.SyncByteStream
    connection: NetworkStream | None = None
    has_declared_end: bool = True  # else the body ends with the connection

    @property
    def headers(self) -> dict[str, str]:
        """Headers by names in lower case; repeated ones are joined."""
        joined: dict[str, str] = {}
        encoding = "utf-8"
        try:
            b"\n".join([value for _, value in self.fields]).decode()
        except UnicodeDecodeError:
            encoding = "latin-1"
        for raw, encoded in self.fields:
            name, value = raw.decode(encoding).lower(), encoded.decode(encoding)
            joined[name] = f"{joined[name]}, {value}" if name in joined else value
        return joined

    def close(self) -> None:
        self.stream.close()


def decode_content(method: str, response: Received) -> Received:
    """Return the response with its gzip coding removed: some proxies compress unasked.

    Raise RemoteProtocolError for any other compression, which was not offered either.
    """
    names = response.headers.get("content-encoding")
    if names is None or method == "HEAD" or response.status in NO_BODY:
        return response
    codings = {name.strip().lower() for name in names.split(",")}
    if codings & REFUSED_CODINGS or (codings & GZIP and "," in names):
        raise httpx.RemoteProtocolError("The content coding is not supported.")
    if codings & GZIP:
        # Hardly a provider sends it, so hardly a start has to import it.
        from antiphon.upstream.gzip_stream import GzipStream  # noqa: PLC0415  see above

        fields = [field for field in response.fields if field[0].lower() not in OF_CODED_BODY]
        return replace(response, stream=GzipStream(response.stream), fields=fields)
    return response


def _tokens(value: bytes) -> set[bytes]:
    return {token.strip().lower() for token in value.split(b",")}
