"""Looks up the addresses of a host, and leaves out those to which nothing may be connected."""

import queue
import socket
import threading
from collections.abc import Callable
from typing import Any

type AddressCheck = Callable[[str], bool]  # whether an IP address, as text, may be connected to


class AddressRefused(OSError):
    """The host has no address to which this transport may connect."""


def find_addresses(
    host: str, port: int, seconds: float | None, is_allowed: AddressCheck
) -> list[Any]:
    """Return the addresses of a host, as `socket` has them; raise AddressRefused or TimeoutError.

    The connection must be made to an address, and not to the name: a second look-up of the name
    could have another answer than the one that was checked.
    """
    found = [address for *_, address in _resolve(host, port, seconds)]
    allowed = [address for address in found if is_allowed(address[0])]
    if found and not allowed:
        raise AddressRefused("The host has no address that may be connected to.")
    return allowed


def _resolve(host: str, port: int, seconds: float | None) -> list[Any]:
    """Look the host up in another thread: the system's resolver has no time limit."""
    results: queue.SimpleQueue[list[Any] | Exception] = queue.SimpleQueue()

    def resolve() -> None:
        try:
            results.put(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
        except (OSError, ValueError) as exc:
            results.put(exc)

    threading.Thread(target=resolve, name="resolver", daemon=True).start()
    try:
        found = results.get(timeout=seconds)
    except queue.Empty:
        raise TimeoutError from None
    if isinstance(found, Exception):
        raise found
    return found
