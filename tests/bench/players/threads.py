"""A server as plain as Python has it: a thread for each connection, blocking."""

import socket
import threading
from collections.abc import Callable
from typing import BinaryIO

from tests.bench.players.listening import announce, listener

type Serve = Callable[[socket.socket, bytes], None]  # answers one request's body


def serve(name: str, begin: Callable[[], Serve]) -> None:
    """`begin` is called for each connection."""
    taken = listener()
    announce(name, taken)
    while True:
        connection, _ = taken.accept()
        threading.Thread(target=_converse, args=(connection, begin()), daemon=True).start()


def _converse(connection: socket.socket, answer: Serve) -> None:
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    with connection, connection.makefile("rb") as reader:
        while (body := _body(reader)) is not None:
            answer(connection, body)


def _body(reader: BinaryIO) -> bytes | None:
    """Of the next request; None where there is none."""
    length = 0
    while (line := reader.readline()) not in {b"\r\n", b""}:
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            length = int(value)
    return reader.read(length) if line else None
