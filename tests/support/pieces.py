"""Answers from memory, in the pieces in which they may come."""

from antiphon.relay.transport.framing import Body, body_of
from antiphon.relay.transport.head import Head, read_head
from antiphon.relay.transport.reader import Reader


class Pieces:
    """Gives what it is given, piece by piece, and then the end."""

    def __init__(self, *pieces):
        self.pieces = [piece for piece in pieces if piece]

    def settimeout(self, seconds):
        """Nothing takes time here."""

    def recv(self, most):
        piece = self.pieces.pop(0) if self.pieces else b""
        assert len(piece) <= most
        return piece


def read(*pieces: bytes, method: str = "POST") -> tuple[bytes, Head, Body, Reader]:
    reader = Reader(Pieces(*pieces))
    head = read_head(reader)
    body = body_of(method, head, reader)
    return b"".join(body.pieces), head, body, reader
