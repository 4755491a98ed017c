"""A peer on a loopback socket that says given bytes, in given pieces."""

import contextlib
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from antiphon.relay.transport.client import Client
from antiphon.relay.transport.connection import Patience
from antiphon.relay.transport.outgoing import Outgoing

PATIENCE = Patience(connect=5.0, head=5.0, write=5.0, read=5.0)

type Converse = Callable[[socket.socket], None]


@dataclass
class Peer:
    """Each connection is led by the next of `turns`, and closed behind it."""

    turns: list[Converse]
    tls: ssl.SSLContext | None = None
    heads: list[bytes] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    port: int = 0

    @property
    def url(self) -> str:
        return f"http{'s' if self.tls else ''}://127.0.0.1:{self.port}/v1"

    def says(self, *pieces: bytes, answers: int = 1) -> Converse:
        """So many times: take a request, send the pieces."""

        def converse(connection: socket.socket) -> None:
            for _ in range(answers):
                self.take(connection)
                for piece in pieces:
                    connection.sendall(piece)

        return converse

    def take(self, connection: socket.socket) -> None:
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            byte = connection.recv(1)
            if not byte:
                raise ConnectionResetError
            head += byte
        self.heads.append(head)
        _, found, length = head.partition(b"content-length: ")
        left, body = int(length.split(b"\r\n")[0]) if found else 0, b""
        while len(body) < left:
            body += connection.recv(65_536)
        self.bodies.append(body)


@contextmanager
def peer(*turns: Converse | bytes, tls: ssl.SSLContext | None = None) -> Iterator[Peer]:
    """Bytes stand for one answer and the end of the connection."""
    made = Peer([], tls)
    made.turns += [made.says(turn) if isinstance(turn, bytes) else turn for turn in turns]
    with socket.create_server(("127.0.0.1", 0)) as listener:
        made.port = listener.getsockname()[1]
        serving = threading.Thread(target=_serve, args=(listener, made))
        serving.start()
        try:
            yield made
        finally:
            with contextlib.suppress(OSError):  # not connected, which does not matter
                listener.shutdown(socket.SHUT_RDWR)
            serving.join()


def _serve(listener: socket.socket, made: Peer) -> None:
    with contextlib.suppress(OSError):  # no longer listening
        while True:
            connection, _ = listener.accept()
            with contextlib.suppress(OSError, IndexError), connection:
                _led(connection, made)


def _led(connection: socket.socket, made: Peer) -> None:
    if made.tls is not None:
        connection = made.tls.wrap_socket(connection, server_side=True)
    with connection:
        made.turns.pop(0)(connection)


def asked(
    client: Client, url: str, method: str = "POST", body: bytes = b"{}", patience=PATIENCE
) -> tuple[int, dict[str, str], bytes]:
    """Send, read to the end, close."""
    response = client.send(Outgoing.to(url, method, {"x-a": "b"}, body), patience)
    try:
        return response.status, dict(response.headers), response.read()
    finally:
        response.close()
