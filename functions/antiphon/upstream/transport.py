"""Sends HTTP/1.1 requests to the providers: httpx's transport interface over a blocking socket.

https://www.python-httpx.org/advanced/transports/ and, for what a transport reads from a request
and adds to a response, https://www.python-httpx.org/advanced/extensions/

Every error is httpx's own. Its text has no address, header or byte of what was exchanged.

    httpx.TransportError
    ├── UnsupportedProtocol   nothing was sent: the URL is not one of http or https
    ├── LocalProtocolError    nothing was sent: HTTP/1.1 cannot carry the request as it is
    ├── ConnectError          nothing was sent: no connection, to the provider or by the proxy
    ├── ConnectTimeout        nothing was sent
    ├── WriteTimeout          some of the request may have been sent
    ├── WriteError            some of it may have been sent, and no response could be read
    ├── ReadTimeout           the provider may have processed the request
    ├── ReadError             the same: the connection broke
    └── RemoteProtocolError   the same: the response is cut short or is not valid HTTP/1.1
"""

import select
import socket
import ssl
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from functools import partial
from typing import Any, NamedTuple, Protocol
from weakref import finalize

import httpx

from antiphon.upstream.http1 import (
    HEAD,
    Origin,
    Place,
    Received,
    ResponseParser,
    decode_content,
    encode_head,
)
from antiphon.upstream.resolver import AddressCheck, find_addresses

NEVER = float("inf")
MAX_IDLE = 8  # connections to one origin
MAX_READ = 65_536  # bytes
ONE_PACKET = 16_384  # bytes of a body that are sent together with its head


class Proxy(Protocol):
    """What connects to some of the hosts."""

    def serves(self, scheme: str, host: str) -> bool: ...
    def connect(self, host: str, port: int, seconds: float | None) -> socket.socket: ...


class Outgoing(NamedTuple):
    """A request with its encoded head; the limits are those of a request's extensions."""

    place: Place
    method: str
    head: bytes
    body: bytes
    limits: Mapping[str, Any]
    headers: Mapping[str, str] = {}  # those of the caller in the head


class Incoming(NamedTuple):
    """A response whose final head is there; the stream of its body must be closed."""

    parser: ResponseParser
    stream: "BodyStream"
    connection: "_Connection"


class LlhttpTransport(httpx.BaseTransport):
    """Keeps at most 8 idle connections to an origin; safe for many threads.

    It honours `request.extensions["timeout"]` as httpx documents it (seconds; None waits for
    ever), `request.extensions["head_timeout"]`: seconds from when the request was sent until
    the whole head is there, by default the read timeout, and `request.extensions["ends_at"]`:
    the time.monotonic() at which that must be so in any case. The response's extension
    `network_stream` has `get_extra_info("socket")`: to shut that socket ends a read that blocks.
    `has_declared_end` is false where the body ends with the connection.
    """

    def __init__(
        self,
        tls: ssl.SSLContext,
        idle_seconds: float,
        proxy: Proxy | None = None,
        is_allowed: AddressCheck = lambda _: True,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """`is_allowed` decides on each address that a name is resolved to; a proxy does not ask.

        `clock` times idle connections: time.monotonic() may stop while Lambda freezes the process,
        and a connection that was dropped meanwhile would be taken for a new one.
        """
        self._tls = tls
        self._proxy = proxy
        self._is_allowed = is_allowed
        self._pool = _Pool(idle_seconds, clock)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Return once the final head is there; the response must be closed."""
        head = request.extensions.get(HEAD) or encode_head(request)
        found = self.send(
            Outgoing(
                Place.of(request.url), request.method, head, request.read(), request.extensions
            )
        )
        return httpx.Response(
            found.status,
            headers=[*found.fields],
            stream=found.stream,
            extensions={
                "http_version": b"HTTP/1.1",
                "network_stream": found.connection,
                "has_declared_end": found.has_declared_end,
            },
        )

    def send(self, outgoing: "Outgoing") -> Received:
        """Do what `handle_request` does without httpx's objects, which take a tenth of a call."""
        parser, stream, connection = self.exchange(outgoing)
        found = Received(parser.status, parser.headers, stream, connection, parser.has_declared_end)
        try:
            return decode_content(outgoing.method, found)
        except httpx.RemoteProtocolError:
            connection.close()
            raise

    def exchange(self, outgoing: "Outgoing") -> "Incoming":
        """Return the answer without decoding it.

        A server may close an idle connection while a request is on its way to it. A GET that meets
        that is sent once more, on a new connection; no other method is (RFC 9110, 9.2.2).
        """
        idle = self._pool.take(outgoing.place.origin)
        if idle is not None:
            try:
                return self._exchange(idle, outgoing)
            except (httpx.ReadError, httpx.WriteError, httpx.RemoteProtocolError):
                if outgoing.method != "GET" or idle.has_answered:
                    raise
        return self._exchange(self._connect(outgoing), outgoing)

    def close(self) -> None:
        """Close the idle connections."""
        self._pool.clear()

    def _connect(self, outgoing: "Outgoing") -> "_Connection":
        seconds = outgoing.limits.get("timeout", {}).get("connect")
        origin, ends_at = outgoing.place.origin, outgoing.limits.get("ends_at", NEVER)
        open_socket = partial(self._open_socket, origin, seconds, ends_at)
        try:
            return _Connection(origin, open_socket)
        except (httpx.ConnectError, httpx.ConnectTimeout):  # once more: nothing was sent
            return _Connection(origin, open_socket)

    def _open_socket(self, origin: Origin, seconds: float | None, ends_at: float) -> socket.socket:
        """`seconds`: for each address of the host, and for TLS; `ends_at`: for all of them."""
        scheme, host, port = origin
        if self._proxy is not None and self._proxy.serves(scheme, host):
            return self._proxy.connect(host, port, _time_left(_earlier(seconds, ends_at)))
        return self._connect_directly(origin, seconds, ends_at)

    def _connect_directly(
        self, origin: Origin, seconds: float | None, ends_at: float
    ) -> socket.socket:
        scheme, host, port = origin
        left = _time_left(_earlier(seconds, ends_at))
        addresses = find_addresses(host, port, left, self._is_allowed)
        opened = _connect_tcp(addresses, seconds, ends_at)
        try:
            opened.settimeout(_time_left(_earlier(seconds, ends_at)))
            opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if scheme == "http":
                return opened
            # Without TLS's own end a response may have been cut there: not suppressed.
            return self._tls.wrap_socket(opened, server_hostname=host, suppress_ragged_eofs=False)
        except BaseException:
            opened.close()
            raise

    def _exchange(self, connection: "_Connection", outgoing: "Outgoing") -> "Incoming":
        try:
            return self._send_and_read_head(connection, outgoing)
        except BaseException:
            connection.close()
            raise

    def _send_and_read_head(self, connection: "_Connection", outgoing: "Outgoing") -> "Incoming":
        timeouts = outgoing.limits.get("timeout", {})
        ends_at = outgoing.limits.get("ends_at", NEVER)
        is_sent = connection.send(outgoing.head, outgoing.body, timeouts.get("write"), ends_at)
        parser = ResponseParser(outgoing.method)
        read_seconds = timeouts.get("read")
        head_seconds = outgoing.limits.get("head_timeout", read_seconds)
        try:
            connection.read_head(parser, _earlier(head_seconds, ends_at))
        except (httpx.ReadError, httpx.RemoteProtocolError) as exc:
            if is_sent:
                raise
            raise httpx.WriteError("The connection broke while the request was sent.") from exc
        connection.socket.settimeout(read_seconds)
        release = partial(self._release, connection, is_sent)
        return Incoming(parser, BodyStream(parser, connection.receive, release), connection)

    def _release(self, connection: "_Connection", is_sent: bool, can_reuse: bool) -> None:  # noqa: FBT001
        if is_sent and can_reuse:
            self._pool.put(connection)
        else:
            connection.close()


class _Connection:
    """Connects when it is made, or raises ConnectError or ConnectTimeout."""

    def __init__(self, origin: Origin, open_socket: Callable[[], socket.socket]) -> None:
        self.origin = origin
        self.idle_since = 0.0
        self.has_answered = False  # the last request, if only in part
        try:
            self.socket = open_socket()
        except TimeoutError as exc:
            raise httpx.ConnectTimeout("The connection was not made in time.") from exc
        except (OSError, ValueError) as exc:  # ValueError: a host name that cannot be encoded
            raise httpx.ConnectError("The connection could not be made.") from exc
        # A transport that nobody closes, and that is collected, leaves no open socket.
        finalize(self, self.socket.close).atexit = False

    def get_extra_info(self, info: str) -> Any:
        """Return the socket, as httpx's network streams do."""
        # By a proxy with TLS, `self.socket` is urllib3's object around the socket.
        return getattr(self.socket, "socket", self.socket) if info == "socket" else None

    def send(self, head: bytes, body: bytes, seconds: float | None, ends_at: float) -> bool:
        """Return whether all was sent: a server that refuses early may still respond.

        Raise WriteTimeout after so many seconds without progress, and at `ends_at`.
        """
        pieces = (head + body,) if len(body) <= ONE_PACKET else (head, body)
        try:
            for piece in pieces:
                view = memoryview(piece)
                while view:
                    self.socket.settimeout(_time_left(_earlier(seconds, ends_at)))
                    view = view[self.socket.send(view) :]
        except TimeoutError as exc:
            raise httpx.WriteTimeout("The request was not sent in time.") from exc
        except OSError:
            return False
        return True

    def read_head(self, parser: ResponseParser, ends_at: float) -> None:
        """Raise ReadTimeout where the head is not complete at `ends_at`."""
        is_complete = self.has_answered = False
        while not is_complete:
            try:
                self.socket.settimeout(_time_left(ends_at))
            except TimeoutError as exc:
                raise httpx.ReadTimeout("The response did not arrive in time.") from exc
            data = self.receive()
            if not data:
                raise httpx.RemoteProtocolError("The connection ended before the response did.")
            self.has_answered = True
            is_complete = parser.feed_head(data)

    def receive(self) -> bytes:
        """Return what has arrived; nothing at the end of the connection."""
        try:
            return self.socket.recv(MAX_READ)
        except TimeoutError as exc:
            raise httpx.ReadTimeout("The response did not arrive in time.") from exc
        except OSError as exc:
            raise httpx.ReadError("The connection broke before the response ended.") from exc

    def is_silent(self) -> bool:
        """What can be read while no response is due is its end, or was not requested."""
        poll = select.poll()
        poll.register(self.socket, select.POLLIN)
        return not poll.poll(0)

    def close(self) -> None:
        with suppress(OSError):  # the other end may have closed it
            self.socket.close()


class BodyStream(httpx.SyncByteStream):
    """The body of a response: yields what each read brings; close it in any case.

    `receive` returns the next bytes of the connection. `release` is called once, with whether
    the connection can be used for another request.
    """

    def __init__(
        self,
        parser: ResponseParser,
        receive: Callable[[], bytes],
        release: Callable[[bool], None],
    ) -> None:
        self._parser = parser
        self._receive = receive
        self._release: Callable[[bool], None] | None = release

    def __iter__(self) -> Iterator[bytes]:
        """Raise RemoteProtocolError, ReadError or ReadTimeout where the body is not complete."""
        parser = self._parser
        while True:
            if parser.pieces:
                yield parser.take()
            if parser.error is not None:
                raise parser.error
            if parser.is_complete:
                return
            parser.feed(self._receive())

    def close(self) -> None:
        release, self._release = self._release, None
        if release is not None:
            release(self._parser.can_reuse_connection)


class _Pool:
    """Idle connections by origin."""

    def __init__(self, idle_seconds: float, clock: Callable[[], float]) -> None:
        self._idle_seconds = idle_seconds
        self._clock = clock
        self._lock = threading.Lock()
        self._idle: defaultdict[Origin, list[_Connection]] = defaultdict(list)

    def take(self, origin: Origin) -> _Connection | None:
        """Return the last one used that is still alive."""
        while (connection := self._pop(origin)) is not None:
            is_young = self._clock() - connection.idle_since <= self._idle_seconds
            if is_young and connection.is_silent():
                return connection
            connection.close()
        return None

    def put(self, connection: _Connection) -> None:
        connection.idle_since = self._clock()
        with self._lock:
            idle = self._idle[connection.origin]
            idle.append(connection)
            surplus = idle.pop(0) if len(idle) > MAX_IDLE else None
        if surplus is not None:
            surplus.close()

    def clear(self) -> None:
        with self._lock:
            idle, self._idle = self._idle, defaultdict(list)
        for connection in (one for some in idle.values() for one in some):
            connection.close()

    def _pop(self, origin: Origin) -> _Connection | None:
        with self._lock:
            idle = self._idle[origin]
            return idle.pop() if idle else None


def _connect_tcp(addresses: list[Any], seconds: float | None, ends_at: float) -> socket.socket:
    """Connect to one of the host's addresses, or raise why the last of them failed."""
    failure = OSError("The host has no address.")
    for address in addresses:
        try:
            left = _time_left(_earlier(seconds, ends_at))
            return socket.create_connection(address[:2], left)
        except OSError as exc:
            failure = exc
    raise failure


def _earlier(seconds: float | None, ends_at: float) -> float:
    """Return the earlier of now plus `seconds`, of which None is no limit, and `ends_at`."""
    return ends_at if seconds is None else min(ends_at, time.monotonic() + seconds)


def _time_left(ends_at: float) -> float | None:
    """Return the timeout of a socket until then, or raise TimeoutError."""
    if ends_at == NEVER:
        return None
    left = ends_at - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left
