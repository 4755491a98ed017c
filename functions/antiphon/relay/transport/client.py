"""Sends a request once, over a connection that rests from another or over a new one."""

import ssl
import threading
from collections import defaultdict

from antiphon.relay.transport.connection import Connection, Patience
from antiphon.relay.transport.errors import ConnectError
from antiphon.relay.transport.framing import body_of
from antiphon.relay.transport.head import read_head
from antiphon.relay.transport.outgoing import Origin, Outgoing
from antiphon.relay.transport.response import Response

MOST_RESTING = 8  # connections to one origin


class Client:
    """Follows no redirect, keeps no cookie, knows no proxy; safe for many threads."""

    def __init__(self, tls: ssl.SSLContext, idle_seconds: float) -> None:
        self._tls = tls
        self._idle_seconds = idle_seconds
        self._resting = Resting()

    def send(self, outgoing: Outgoing, patience: Patience) -> Response:
        """Return once the head is there; raise TransportError, and be sure to close what is given.

        Raise ConnectError where certainly nothing was sent. After anything else the provider may
        have processed the request.
        """
        connection = self._connection(outgoing.origin, patience.connect)
        try:
            return self._exchange(connection, outgoing, patience)
        except BaseException:
            connection.close()
            raise

    def close(self) -> None:
        """Close what rests."""
        self._resting.clear()

    def _connection(self, origin: Origin, seconds: float) -> Connection:
        rested = self._resting.take(origin, self._idle_seconds)
        if rested is not None:
            return rested
        try:
            return Connection.to(origin, self._tls, seconds)
        except ConnectError:  # one more try, for nothing was sent
            return Connection.to(origin, self._tls, seconds)

    def _exchange(self, connection: Connection, outgoing: Outgoing, patience: Patience) -> Response:
        taken = connection.write(outgoing, patience.write)
        reader = connection.reader
        reader.wait(patience.head)
        head = read_head(reader)
        reader.wait_each(patience.read)
        body = body_of(outgoing.method, head, reader)
        reusable = taken and head.persistent and body.bounded
        keep = self._resting.keep if reusable else Connection.close
        return Response(outgoing.method, head, body.pieces, connection, keep)


class Resting:
    """Connections that wait for another request."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._all: defaultdict[Origin, list[Connection]] = defaultdict(list)

    def take(self, origin: Origin, idle_seconds: float) -> Connection | None:
        """The one used last, if there is one that lives."""
        while (connection := self._last(origin)) is not None:
            if connection.usable(idle_seconds):
                return connection
            connection.close()
        return None

    def keep(self, connection: Connection) -> None:
        connection.rests()
        with self._lock:
            resting = self._all[connection.origin]
            resting.append(connection)
            surplus = resting.pop(0) if len(resting) > MOST_RESTING else None
        if surplus is not None:
            surplus.close()

    def clear(self) -> None:
        with self._lock:
            all, self._all = self._all, defaultdict(list)
        for connection in (one for some in all.values() for one in some):
            connection.close()

    def _last(self, origin: Origin) -> Connection | None:
        with self._lock:
            resting = self._all[origin]
            return resting.pop() if resting else None
