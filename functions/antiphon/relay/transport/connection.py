"""One connection to a provider: made, written to, and known to be alive before it is used again."""

import select
import socket
import ssl
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Self

from antiphon.relay.transport.errors import ConnectError, ConnectTimeout, WriteTimeout
from antiphon.relay.transport.outgoing import Origin, Outgoing
from antiphon.relay.transport.reader import Reader

ONE_PACKET = 16_384  # bytes of a body that go out together with its head


@dataclass(frozen=True)
class Patience:
    """Seconds for each part of an exchange."""

    connect: float  # to each address of a host, and for TLS
    head: float  # from when all was sent until the whole head is there
    write: float = 30.0  # without any progress
    read: float | None = None  # for each read of the body; None where another has an eye on it


class Connection:
    def __init__(self, connected: socket.socket, origin: Origin) -> None:
        self.socket = connected
        self.origin = origin
        self.reader = Reader(connected)
        self.idle_since = 0.0

    @classmethod
    def to(cls, origin: Origin, tls: ssl.SSLContext, seconds: float) -> Self:
        """Raise ConnectError: then nothing was sent."""
        try:
            return cls(_connected(origin, tls, seconds), origin)
        except TimeoutError as exc:
            raise ConnectTimeout("The connection was not made in time.") from exc
        except (OSError, ValueError) as exc:  # ValueError: a name or a port that cannot be
            raise ConnectError("There is no connection.") from exc

    def write(self, outgoing: Outgoing, seconds: float) -> bool:
        """Whether all of it was taken; who refuses early may still have something to say."""
        self.socket.settimeout(seconds)
        try:
            for piece in _pieces(outgoing):
                self._write(piece)
        except TimeoutError as exc:
            raise WriteTimeout("The request was not taken in time.") from exc
        except OSError:
            return False
        return True

    def rests(self) -> None:
        self.idle_since = time.monotonic()

    def usable(self, idle_seconds: float) -> bool:
        """Whether it has rested no longer than this, and the other end has been silent.

        Whatever can be read while no answer is due is its end, or nothing that we asked for.
        """
        if time.monotonic() - self.idle_since > idle_seconds:
            return False
        poll = select.poll()
        poll.register(self.socket, select.POLLIN)
        return not poll.poll(0)

    def close(self) -> None:
        with suppress(OSError):  # of an end that is gone already
            self.socket.close()

    def _write(self, data: bytes) -> None:
        view = memoryview(data)
        while view:
            view = view[self.socket.send(view) :]


def _pieces(outgoing: Outgoing) -> Iterator[bytes]:
    if len(outgoing.body) <= ONE_PACKET:
        yield outgoing.head + outgoing.body
    else:
        yield outgoing.head
        yield outgoing.body


def _connected(origin: Origin, tls: ssl.SSLContext, seconds: float) -> socket.socket:
    made = socket.create_connection((origin.host, origin.port), seconds)
    try:
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if not origin.secure:
            return made
        # An end of TLS that was not said is none: an answer may have been cut there.
        return tls.wrap_socket(made, server_hostname=origin.host, suppress_ragged_eofs=False)
    except BaseException:
        made.close()
        raise
