"""A stream's events, passed on with what they name written first."""

from collections.abc import Iterator

from antiphon.errors import LinkNotWritten
from antiphon.ledger.book import Book
from antiphon.observe import figures, logger
from antiphon.relay import Piece, Stream
from antiphon.relay.watch import Send
from antiphon.settings.metrics import CUT_STREAMS


class Recorded:
    def __init__(self, stream: Stream, book: Book) -> None:
        self._stream = stream
        self._book = book
        self._pieces = iter(stream)
        self._first: Piece | None = None

    def open(self) -> None:
        """Write what the first event names, while the status is still open."""
        try:
            self._first = self._noted(next(self._pieces))
        except BaseException:
            self._stream.close()
            raise

    def attach(self, send: Send) -> None:
        self._stream.attach(send)

    def __iter__(self) -> Iterator[bytes]:
        try:
            if self._first is not None:
                yield self._first.data
            for piece in self._pieces:
                yield self._noted(piece).data
        except LinkNotWritten as fault:
            yield self._stream.ending(fault)
        finally:
            if self._stream.ended is None:
                logger.warning("stream cut")
                figures.count(CUT_STREAMS)
            self.close()

    def close(self) -> None:
        self._stream.close()
        self._book.close(self._stream.ended)

    def _noted(self, piece: Piece) -> Piece:
        if piece.response is not None:
            self._book.note(piece.response)
        return piece
