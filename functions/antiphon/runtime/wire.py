"""One keep-alive HTTP/1.1 connection, with no more of HTTP than the Runtime API speaks."""

import socket
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Self


class ApiError(Exception):
    """The Runtime API did not take or give what it was asked for.

    ApiError
    ├── Disconnected   the connection broke, or what came over it was not HTTP
    └── Refused        it answered with an error
    """


class Disconnected(ApiError):
    """No OSError, so that it is never taken for one that a body raised by itself."""


class Refused(ApiError):
    pass


@dataclass(frozen=True)
class Response:
    status: int
    headers: Mapping[str, str]  # names in lower case
    body: bytes


def head(method: str, path: str, headers: Mapping[str, str]) -> bytes:
    lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {headers[name]}" for name in headers)]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1", "backslashreplace")


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


class Connection:
    def __init__(self, connected: socket.socket) -> None:
        self._socket = connected
        self._reader = connected.makefile("rb")

    @classmethod
    def to(cls, address: str) -> Self:
        host, _, port = address.rpartition(":")
        try:
            connected = socket.create_connection((host.strip("[]"), int(port)))
        except OSError as error:
            raise Disconnected(f"The Runtime API cannot be reached: {error}") from error
        connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return cls(connected)

    @property
    def usable(self) -> bool:
        """False once either end has closed it: asked while no answer is due, so silence is good."""
        try:
            self._socket.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT)
        except BlockingIOError:
            return True
        except OSError:
            return False
        return False

    def write(self, data: bytes) -> None:
        try:
            self._socket.sendall(data)
        except OSError as error:
            raise Disconnected(f"The Runtime API cut the connection: {error}") from error

    def read(self) -> Response:
        """Wait for an answer, however long it takes: the process may be frozen meanwhile."""
        try:
            return self._response()
        except (OSError, ValueError, IndexError) as error:
            self.close()
            raise Disconnected(f"The Runtime API did not answer: {error}") from error

    def close(self) -> None:
        self._reader.close()
        self._socket.close()

    def _response(self) -> Response:
        status = int(self._line().split(maxsplit=2)[1])
        headers = dict(self._fields())
        body = self._body(headers)
        if headers.get("connection", "").lower() == "close":
            self.close()
        return Response(status, headers, body)

    def _line(self) -> bytes:
        line = self._reader.readline()
        if not line.endswith(b"\n"):
            raise ConnectionResetError("cut short")
        return line.strip()

    def _fields(self) -> Iterator[tuple[str, str]]:
        while line := self._line():
            name, _, value = line.decode("latin-1").partition(":")
            yield name.lower(), value.strip()

    def _body(self, headers: Mapping[str, str]) -> bytes:
        if headers.get("transfer-encoding", "").lower() == "chunked":
            return b"".join(self._chunks())
        return self._exactly(int(headers.get("content-length", 0)))

    def _chunks(self) -> Iterator[bytes]:
        while size := int(self._line().partition(b";")[0], 16):
            yield self._exactly(size)
            self._line()
        dict(self._fields())  # trailers: read past, for the answer that follows

    def _exactly(self, size: int) -> bytes:
        data = self._reader.read(size)
        if len(data) < size:
            raise ConnectionResetError("cut short")
        return data
