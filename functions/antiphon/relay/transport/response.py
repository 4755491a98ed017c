"""An answer whose head is there and whose body comes."""

import socket
from collections.abc import Callable, Iterator, Mapping

from antiphon.relay.transport.connection import Connection
from antiphon.relay.transport.head import Head


class Response:
    """Iterate its body once, and close it in any case: that gives its connection back."""

    def __init__(
        self,
        method: str,
        head: Head,
        pieces: Iterator[bytes],
        connection: Connection,
        keep: Callable[[Connection], None],  # what becomes of the connection of a whole answer
    ) -> None:
        self.method = method  # of the request
        self.status = head.status
        self.headers: Mapping[str, str] = head.headers
        self._pieces = pieces
        self._connection = connection
        self._keep = keep
        self._whole = False
        self._closed = False

    @property
    def socket(self) -> socket.socket:
        """What shutting ends a read that blocks."""
        return self._connection.socket

    def __iter__(self) -> Iterator[bytes]:
        """Raise TransportError where the body does not come to its end."""
        yield from self._pieces
        self._whole = True

    def read(self) -> bytes:
        return b"".join(self)

    def close(self) -> None:
        if self._closed:
            return
        self._closed = True
        if self._whole and not self._connection.reader.ahead:
            self._keep(self._connection)
        else:
            self._connection.close()
