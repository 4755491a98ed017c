"""Deadlines of a blocking read: keep-alive comments in silence, and an end when it lasts too long.

While a provider is silent the main thread blocks in `recv`. One timer thread for the whole process
wakes when a deadline passes: it sends the caller a comment, or shuts the provider's socket down,
which ends the blocking read at once. For each event the main thread only stores the time.
"""

import select
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

from antiphon.errors import GatewayError, NoTimeLeft, UpstreamTimeout
from antiphon.http import Send

KEEP_ALIVE_COMMENT = b": ping\n\n"  # clients ignore comments, and connections stay open
NEVER = float("inf")


def deadline_reached() -> GatewayError:
    return UpstreamTimeout(
        "The gateway's own time limit for one call is reached.", code="gateway_deadline"
    )


def answer_deadline_reached() -> GatewayError:
    """Return the error for an answer of which nothing could be sent when its time limit ended."""
    return UpstreamTimeout(
        "The time limit for the start of an answer is reached. The request may have been "
        "processed: do not repeat it. Create a response that takes long with "
        '"stream": true or "background": true.',
        code="gateway_deadline",
    )


def no_time_left() -> GatewayError:
    return NoTimeLeft("The gateway's own time limit for one call is reached; nothing was sent.")


def gateway_stopped() -> GatewayError:
    return UpstreamTimeout("The gateway is shutting down.", code="gateway_stopped")


@dataclass
class ReadTimer:
    """The deadlines of the one response that is being read; times in time.monotonic() seconds."""

    socket: socket.socket | None
    ends_at: float
    answers_by: float = NEVER  # until when the caller must have got a first byte; then NEVER
    max_silence: float = NEVER  # seconds without a byte of the provider, from `last_read`
    keep_alive: float = NEVER  # seconds without a byte to the caller, from `last_sent`
    send: Send | None = None
    last_read: float = field(default_factory=time.monotonic)
    last_sent: float = field(default_factory=time.monotonic)
    fault: GatewayError | None = None  # why the read was ended
    on_change: Callable[[], None] = lambda: None  # wakes the thread when a deadline moves earlier

    def allow_silence(self, seconds: float) -> None:
        """From now on the provider may be silent for so many seconds."""
        self.last_read, self.max_silence = time.monotonic(), seconds
        self.on_change()

    def end_within(self, seconds: float) -> None:
        """From now on the read may last only so many seconds, whatever arrives."""
        self.ends_at = min(self.ends_at, time.monotonic() + seconds)
        self.on_change()

    def expect_end(self, seconds: float) -> None:
        """Send no more comments, and wait only this long for the end of the stream."""
        self.send = None
        self.end_within(seconds)

    def start_keep_alive(self, send: Send) -> None:
        self.last_sent, self.send = time.monotonic(), send
        self.on_change()

    def wait_readable(self, seconds: float) -> bool:
        """Return whether more arrives within so many seconds; without a socket say yes."""
        if self.socket is None or getattr(self.socket, "pending", int)():  # bytes that TLS decoded
            return True
        poll = select.poll()
        poll.register(self.socket, select.POLLIN)
        return bool(poll.poll(max(seconds, 0) * 1000))

    def next_deadline(self) -> float:
        if self.fault is not None:
            return NEVER
        comment = NEVER if self.send is None else self.last_sent + self.keep_alive
        return min(self.ends_at, self.answers_by, self.last_read + self.max_silence, comment)

    def fire(self, now: float) -> None:
        """Act on the deadline that has passed: end the read, or send a comment."""
        if now >= self.answers_by:
            self.end_read(answer_deadline_reached())
        elif now >= self.ends_at:
            self.end_read(deadline_reached())
        elif now >= self.last_read + self.max_silence:
            message = f"The provider sent nothing for {self.max_silence:g} seconds."
            self.end_read(UpstreamTimeout(message))
        elif (send := self.send) is not None:  # read once: the stream may end meanwhile
            self.last_sent = now
            send(KEEP_ALIVE_COMMENT)

    def end_read(self, fault: GatewayError) -> None:
        """End the read that blocks, and every later one, for this reason."""
        self.fault = fault
        if self.socket is not None:
            with suppress(OSError):  # already closed, which is what is wanted
                # Not SSLSocket.shutdown, which removes the TLS state while the reader uses it.
                socket.socket.shutdown(self.socket, socket.SHUT_RDWR)


class TimerThread:
    """Runs one timer at a time: an environment serves one request at a time."""

    def __init__(self) -> None:
        self._wake = threading.Condition()
        self._timer: ReadTimer | None = None
        self._thread: threading.Thread | None = None
        self._wakes_at = NEVER

    def start(self, timer: ReadTimer) -> None:
        with self._wake:
            self._timer = timer
            timer.on_change = self._on_change
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="timers", daemon=True)
                self._thread.start()
        self._on_change()

    def stop(self, timer: ReadTimer) -> None:
        """After this nothing is sent for the timer, and its socket is not touched."""
        with self._wake:
            if self._timer is timer:
                self._timer = None

    def _on_change(self) -> None:
        with self._wake:
            if self._timer is None:
                return
            deadline = self._timer.next_deadline()
            if deadline < self._wakes_at:
                self._wakes_at = deadline
                self._wake.notify()

    def _run(self) -> None:
        with self._wake:
            while True:
                self._wakes_at = self._fire_due()
                pause = self._wakes_at - time.monotonic()
                self._wake.wait(min(max(pause, 0), threading.TIMEOUT_MAX))

    def _fire_due(self) -> float:
        """Act on every deadline that has passed; return when to look again.

        Without a timer that is as before: to be woken for each response would cost each of them.
        """
        now = time.monotonic()
        while self._timer is not None:
            deadline = self._timer.next_deadline()
            if deadline > now:
                return deadline
            self._timer.fire(now)
            now = time.monotonic()
        return self._wakes_at if self._wakes_at > now else NEVER
