"""A body on its way out: its chunks one write each, and out-of-band ones between them."""

from collections.abc import Callable, Iterable
from contextlib import suppress
from threading import Lock

from antiphon.runtime.failure import Failure
from antiphon.runtime.wire import Disconnected, chunk

type Write = Callable[[bytes], None]


class Outlet:
    """Where a body's chunks leave; `send` is the door that its other threads may use."""

    def __init__(self) -> None:
        self._turn = Lock()
        self._write: Write | None = None

    def send(self, data: bytes) -> None:
        """Write a chunk of its own; nothing before the first chunk has left or after the last."""
        with self._turn:
            # An empty chunk would end the stream. A cut is for the body's own thread to meet.
            if data and self._write:
                with suppress(Disconnected):
                    self._write(chunk(data))

    def run(self, write: Write, opening: bytes, chunks: Iterable[bytes]) -> BaseException | None:
        """Write it all but the end; gives back what the body failed with, if it did."""
        with self._turn:
            write(opening)
            self._write = write
        try:
            return self._pump(write, chunks)
        finally:
            with self._turn:
                self._write = None

    def _pump(self, write: Write, chunks: Iterable[bytes]) -> BaseException | None:
        turn = self._turn
        try:
            for data in chunks:
                if data:
                    framed = chunk(data)
                    with turn:
                        write(framed)
        except Disconnected:
            raise
        except BaseException as error:  # noqa: BLE001  the trailers tell of it
            return error
        return None


def ending(failure: Failure | None, request_id: str) -> bytes:
    trailers = failure.trailers(request_id) if failure else b""
    return b"0\r\n%b\r\n" % trailers
