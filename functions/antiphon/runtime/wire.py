"""One keep-alive HTTP/1.1 connection to the Runtime API; llhttp parses its responses."""

import socket
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Self

from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser

MAX_READ = 65_536  # bytes
DECLARE_END = ("content-length", "transfer-encoding")  # headers; else the connection ends a body
CUT = "The Runtime API cut the connection: {}"
SHORTEST_WAIT_SECONDS = 0.01  # 0 would mean not to wait at all


class ApiError(Exception):
    """A call to the Runtime API failed.

    ApiError
    ├── Disconnected   the connection broke, or what came over it was not HTTP
    └── Refused        the Runtime API responded with an error status
    """


class Disconnected(ApiError):
    """Not an OSError, so that it is never confused with one that a body raises itself."""


class Refused(ApiError):
    """The Runtime API responded with an error status."""


@dataclass(frozen=True)
class ApiResponse:
    """A complete response of the Runtime API."""

    status: int
    headers: Mapping[str, str]  # names in lower case
    body: bytes


def encode_head(method: str, path: str, headers: Mapping[str, str]) -> bytes:
    """A request's head, with its empty line; characters outside Latin-1 are escaped."""
    lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {headers[name]}" for name in headers)]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1", "backslashreplace")


def encode_chunk(data: bytes) -> bytes:
    """One chunk of a chunked body, RFC 9112 section 7.1."""
    return b"%x\r\n%b\r\n" % (len(data), data)


class Connection:
    """A socket whose every failure is `Disconnected`."""

    def __init__(self, connected: socket.socket) -> None:
        self._socket = connected
        self._ends_at: float | None = None

    @classmethod
    def open(cls, address: str) -> Self:
        """Connect to `host:port`."""
        try:
            connected = _open_socket(address)
        except OSError as error:
            raise Disconnected(f"The Runtime API cannot be reached: {error}") from error
        connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return cls(connected)

    @property
    def is_usable(self) -> bool:
        """False once either end closed it. While no response is due, no byte may be waiting."""
        try:
            self._socket.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT)
        except BlockingIOError:
            return True
        except OSError:
            return False
        return False

    def set_deadline(self, ends_at: float) -> None:
        """From now on what still blocks at this time.monotonic() fails, and closes it.

        The Runtime API stops reading when a caller does.
        """
        self._ends_at = ends_at

    def write(self, data: bytes) -> None:
        """Send all of `data`, with one system call where there is room for it."""
        try:
            sent = self._socket.send(data, socket.MSG_DONTWAIT)
        except BlockingIOError:
            sent = 0
        except OSError as error:
            raise Disconnected(CUT.format(error)) from error
        if sent < len(data):
            self._wait_and_send(memoryview(data)[sent:])

    def read(self) -> ApiResponse:
        """Wait for a response; without a deadline for ever: Lambda may freeze the process."""
        try:
            self._limit_wait()
            return self._read_response()
        except (OSError, HttpParserError, HttpParserUpgrade) as error:
            self.close()
            raise Disconnected(f"The Runtime API did not respond: {error}") from error

    def close(self) -> None:
        """Idempotent."""
        self._socket.close()

    def _wait_and_send(self, rest: memoryview) -> None:
        try:
            self._limit_wait()
            self._socket.sendall(rest)
        except TimeoutError as error:
            self.close()  # no response is due to a request that is cut short
            raise Disconnected("The Runtime API did not read in time.") from error
        except OSError as error:
            raise Disconnected(CUT.format(error)) from error

    def _limit_wait(self) -> None:
        if self._ends_at is not None:
            self._socket.settimeout(max(self._ends_at - time.monotonic(), SHORTEST_WAIT_SECONDS))

    def _read_response(self) -> ApiResponse:
        parsed = _Parsed()
        while not parsed.is_complete:
            parsed.feed(self._socket.recv(MAX_READ))
        if not parsed.is_persistent:
            self.close()
        return ApiResponse(parsed.status, parsed.headers, b"".join(parsed.pieces))


def _open_socket(address: str) -> socket.socket:
    """Connect to one of the addresses of `host:port`, or raise why the last of them failed."""
    failure = OSError("The host has no address.")
    for family, place in _resolve(address):
        opened = socket.socket(family, socket.SOCK_STREAM)
        try:
            opened.connect(place)
        except OSError as error:
            opened.close()
            failure = error
        else:
            return opened
    raise failure


@lru_cache(maxsize=1)
def _resolve(address: str) -> list[tuple[socket.AddressFamily, Any]]:
    """Return family and address of each; once, since each response has a connection of its own."""
    host, _, port = address.rpartition(":")
    found = socket.getaddrinfo(host.strip("[]"), int(port), type=socket.SOCK_STREAM)
    return [(family, place) for family, _, _, _, place in found]


class _Parsed:
    """What has arrived of a response; llhttp calls the methods named `on_…`."""

    def __init__(self) -> None:
        self.status = 0
        self.headers: dict[str, str] = {}
        self.pieces: list[bytes] = []
        self.is_complete = False
        self.is_persistent = False
        self._has_declared_end = True
        self._llhttp = HttpResponseParser(self)

    def feed(self, data: bytes) -> None:
        """Parse more of it; no data is the end of the connection."""
        if data:
            self._llhttp.feed_data(data)
        elif self._has_declared_end:
            raise HttpParserError("the response was cut short")
        else:
            self.is_complete = True

    def on_header(self, name: bytes, value: bytes) -> None:
        self.headers[name.decode("latin-1").lower()] = value.decode("latin-1").strip()

    def on_headers_complete(self) -> None:
        self.status = self._llhttp.get_status_code()
        self._has_declared_end = not self.headers.keys().isdisjoint(DECLARE_END)
        if not self._has_declared_end and self.headers.get("connection", "").lower() != "close":
            raise HttpParserError("the head of the response states no length")

    def on_body(self, data: bytes) -> None:
        self.pieces.append(data)

    def on_message_complete(self) -> None:
        self.is_complete = True
        self.is_persistent = self._llhttp.should_keep_alive()
