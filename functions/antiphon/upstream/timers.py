"""Time, seen from beside a read that blocks: comments in silence, and an end where it lasts.

While a provider is silent the main thread sits in `recv`. One thread for the whole process wakes
when something is due: it sends the caller a comment, or shuts the provider's socket, which ends
the read at once. Passing an event on costs the main thread no more than writing down the time.
"""

import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

from antiphon.errors import GatewayError, UpstreamTimeout
from antiphon.upstream.faults import deadline_reached

KEEP_ALIVE_COMMENT = b": ping\n\n"  # every client ignores a comment, and it holds connections open
NEVER = float("inf")

type Send = Callable[[bytes], None]


@dataclass
class ReadTimer:
    """What is due when, for the one answer that is being read; in monotonic seconds."""

    socket: socket.socket
    ends_at: float
    patience: float = NEVER  # seconds of the provider's silence, from `heard`
    keep_alive: float = NEVER  # seconds of our own silence, from `said`
    send: Send | None = None
    heard: float = field(default_factory=time.monotonic)
    said: float = field(default_factory=time.monotonic)
    fault: GatewayError | None = None  # why the read was ended
    changed: Callable[[], None] = lambda: None  # tells the watch that something is due earlier

    def expect(self, patience: float) -> None:
        """From now on the provider may be silent for so many seconds."""
        self.heard, self.patience = time.monotonic(), patience
        self.changed()

    def expect_end(self, patience: float) -> None:
        """Nothing more is to come: no comments, and little patience."""
        self.send = None
        self.expect(patience)

    def keep_alive_by(self, send: Send) -> None:
        self.said, self.send = time.monotonic(), send
        self.changed()

    def due(self) -> float:
        if self.fault is not None:
            return NEVER
        ping = NEVER if self.send is None else self.said + self.keep_alive
        return min(self.ends_at, self.heard + self.patience, ping)

    def act(self, now: float) -> None:
        """Do what is due: end the read, or tell the caller that the stream lives."""
        if now >= self.ends_at:
            self._end(deadline_reached())
        elif now >= self.heard + self.patience:
            self._end(UpstreamTimeout(f"The provider sent nothing for {self.patience:g} seconds."))
        elif self.send is not None:
            self.said = now
            self.send(KEEP_ALIVE_COMMENT)

    def _end(self, fault: GatewayError) -> None:
        self.fault = fault
        with suppress(OSError):  # it may be closed by now, which is what is wanted
            # Not SSLSocket.shutdown, which takes the TLS state from under the reader.
            socket.socket.shutdown(self.socket, socket.SHUT_RDWR)


class TimerThread:
    """Keeps one vigil at a time: an environment serves one request at a time."""

    def __init__(self) -> None:
        self._wake = threading.Condition()
        self._vigil: ReadTimer | None = None
        self._thread: threading.Thread | None = None
        self._alarm = NEVER  # when the thread looks again by itself

    def begin(self, vigil: ReadTimer) -> None:
        with self._wake:
            self._vigil = vigil
            vigil.changed = self._changed
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="watch", daemon=True)
                self._thread.start()
        self._changed()

    def _changed(self) -> None:
        with self._wake:
            if self._vigil is not None and self._vigil.due() < self._alarm:
                self._wake.notify()

    def end(self, vigil: ReadTimer) -> None:
        """From here on nothing is sent for it, and its socket is left alone."""
        with self._wake:
            if self._vigil is vigil:
                self._vigil = None

    def _run(self) -> None:
        with self._wake:
            while True:
                pause = self._look()
                self._alarm = time.monotonic() + pause
                self._wake.wait(min(pause, threading.TIMEOUT_MAX))

    def _look(self) -> float:
        """Do what is due now; the seconds until something will be."""
        while self._vigil is not None:
            now = time.monotonic()
            due = self._vigil.due()
            if due > now:
                return due - now
            self._vigil.act(now)
        return NEVER
