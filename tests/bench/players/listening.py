"""How a player announces where it listens, and ends with whoever started it."""

import asyncio
import os
import socket
import sys
import threading
from collections.abc import Callable

BACKLOG = 1024


def announce(name: str, listener: socket.socket) -> None:
    """Print the address, and leave as soon as standard input ends."""
    threading.Thread(target=_leave_at_end_of_input, daemon=True).start()
    sys.stdout.write("{} listening on http://{}:{}\n".format(name, *listener.getsockname()))
    sys.stdout.flush()


def listener() -> socket.socket:
    """Any free port. asyncio sends small writes at once where the protocol is named, else not."""
    taken = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    taken.bind(("127.0.0.1", 0))
    taken.listen(BACKLOG)
    return taken


async def serve(name: str, protocol: Callable[[], asyncio.Protocol]) -> None:
    taken = listener()
    server = await asyncio.get_running_loop().create_server(protocol, sock=taken, backlog=BACKLOG)
    announce(name, taken)
    await server.serve_forever()


def _leave_at_end_of_input() -> None:
    while os.read(sys.stdin.fileno(), 4096):
        pass
    os._exit(0)
