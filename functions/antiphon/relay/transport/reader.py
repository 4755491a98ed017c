"""What a peer sends, as far as it has come: no read asks for more than is needed."""

import socket
import time

from antiphon.relay.transport.errors import ConnectionBroken, Malformed, ReadTimeout

MOST = 65_536  # bytes of one read
LINE_END = b"\r\n"


class Reader:
    """Over one connection; what was read beyond an answer stays here."""

    def __init__(self, connected: socket.socket) -> None:
        self._socket = connected
        self._data = b""
        self._at = 0  # where in it nobody has been yet
        self._ends_at: float | None = None

    @property
    def ahead(self) -> int:
        """How many bytes have come that nobody has asked for."""
        return len(self._data) - self._at

    def wait(self, seconds: float) -> None:
        """From now on, for so long in all, however the bytes drip."""
        self._ends_at = time.monotonic() + seconds

    def wait_each(self, seconds: float | None) -> None:
        """From now on, for so long at each read."""
        self._ends_at = None
        self._socket.settimeout(seconds)

    def line(self, longest: int) -> bytes:
        """Without its end, which is CRLF."""
        while (end := self._data.find(LINE_END, self._at)) < 0:
            if self.ahead > longest + 1 or b"\n" in self._data[self._at :]:
                raise Malformed("A line does not end where it should.")
            self._read_on()
        if end - self._at > longest:
            raise Malformed("A line is too long.")
        line = self._data[self._at : end]
        self._at = end + len(LINE_END)
        return line

    def some(self, most: int) -> bytes:
        """At least one byte, and no more than so many."""
        if not self.ahead:
            self._read_on()
        some = self._data[self._at : self._at + most]
        self._at += len(some)
        return some

    def rest(self) -> bytes:
        """What there is now; empty at the end of all."""
        if not self.ahead:
            return self._received()
        rest = self._data[self._at :]
        self._at = len(self._data)
        return rest

    def _read_on(self) -> None:
        more = self._received()
        if not more:
            raise ConnectionBroken("The connection ended before the answer did.")
        self._data, self._at = self._data[self._at :] + more, 0

    def _received(self) -> bytes:
        try:
            if self._ends_at is not None:
                # Never zero, which would mean not to wait at all.
                self._socket.settimeout(max(self._ends_at - time.monotonic(), 1e-6))
            return self._socket.recv(MOST)
        except TimeoutError as exc:
            raise ReadTimeout("The answer did not come in time.") from exc
        except OSError as exc:
            raise ConnectionBroken("The connection broke before the answer was complete.") from exc
