"""A TCP relay that delays, slices, cuts or swallows what passes; the toxics of toxiproxy."""

import contextlib
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit

PIECE_BYTES = 65_536
ABORT = struct.pack("ii", 1, 0)  # SO_LINGER: closing sends RST


@dataclass(frozen=True)
class Toxic:
    """What happens to the bytes of one connection on their way to the client."""

    latency_seconds: float = 0.0  # before each piece
    slice_bytes: int = PIECE_BYTES  # each piece is at most as long
    limit_bytes: int | None = None  # after them the connection ends, or
    end: str = "FIN"  # "RST"; "hole": it stays open and nothing more passes
    refuses: bool = False  # new connections are reset at once


HEALTHY = Toxic()


class TcpShim:
    """`toxic` applies to all connections, also to those that are open."""

    def __init__(self, upstream: str) -> None:
        self.toxic = HEALTHY
        address = urlsplit(upstream)
        self._upstream = (address.hostname, address.port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._waiting = threading.Event()  # never set before the end
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._waiting.set()
        self._listener.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):  # closed at the end
            while True:
                client, _ = self._listener.accept()
                if self.toxic.refuses:
                    _reset(client)
                    continue
                server = socket.create_connection(self._upstream)
                for work in (self._send_requests, self._send_responses):
                    threading.Thread(target=work, args=(client, server), daemon=True).start()

    def _send_requests(self, client: socket.socket, server: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := client.recv(PIECE_BYTES):
                server.sendall(data)
        with contextlib.suppress(OSError):
            server.shutdown(socket.SHUT_RDWR)

    def _send_responses(self, client: socket.socket, server: socket.socket) -> None:
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sent = 0
        with server, client, contextlib.suppress(OSError), _ending(client):
            while data := server.recv(self.toxic.slice_bytes):
                toxic = self.toxic
                self._waiting.wait(toxic.latency_seconds)
                limit = toxic.limit_bytes
                passed = data if limit is None else data[: max(limit - sent, 0)]
                client.sendall(passed)
                sent += len(passed)
                if limit is not None and sent >= limit:
                    return self._end(client, toxic.end)
        return None

    def _end(self, client: socket.socket, end: str) -> None:
        if end == "hole":
            client.settimeout(30)
            while client.recv(PIECE_BYTES):  # until the client gives up
                pass
        elif end == "RST":
            _reset(client)
        else:
            client.shutdown(socket.SHUT_RDWR)


@contextmanager
def _ending(client: socket.socket) -> Iterator[None]:
    """Pass on that the server has ended or reset the connection: closing is not enough of it.

    The thread that waits for a request holds the socket open.
    """
    try:
        yield
        client.shutdown(socket.SHUT_RDWR)
    except ConnectionResetError:
        _reset(client)


def _reset(connection: socket.socket) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, ABORT)
    with contextlib.suppress(OSError):  # not connected any more
        connection.shutdown(socket.SHUT_RD)  # ends a `recv` that holds the socket open
    connection.close()


@contextmanager
def run_tcp_shim(upstream: str) -> Iterator[TcpShim]:
    shim = TcpShim(upstream)
    try:
        yield shim
    finally:
        shim.close()
