"""Which IP addresses are public: tenants choose the URLs of their webhooks.

A URL of a tenant must lead neither to this function's own machine, where credentials are served,
nor into a network that only the gateway can reach.
"""

import ipaddress
from collections.abc import Iterator
from contextlib import suppress

type Address = ipaddress.IPv4Address | ipaddress.IPv6Address

# A translator sends these on to the IPv4 address in their last 32 bits (RFC 6052, 2.1).
TRANSLATED = ipaddress.IPv6Network("64:ff9b::/96")


def is_public(text: str) -> bool:
    """Whether an address, as text, is one of the internet and no multicast."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return False
    return all(each.is_global and not each.is_multicast for each in _meant(address))


def is_loopback(text: str) -> bool:
    """Whether an address, as text, or the name `localhost` is this machine."""
    with suppress(ValueError):
        return ipaddress.ip_address(text).is_loopback
    return text == "localhost"


def is_address(text: str) -> bool:
    """Whether a host is an address; also in the older forms of IPv4, such as 127.1."""
    with suppress(ValueError):
        return bool(ipaddress.ip_address(text))
    last = text.rstrip(".").rpartition(".")[2]  # a name on the internet ends with a letter's label
    return last.isdigit() or last.lower().startswith("0x")


def _meant(address: Address) -> Iterator[Address]:
    """Yield an address, and each IPv4 address in it to which it leads."""
    yield address
    if isinstance(address, ipaddress.IPv4Address):
        return
    inner = [address.ipv4_mapped, address.sixtofour, *(address.teredo or ())]
    if address in TRANSLATED:
        inner.append(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF))
    yield from (each for each in inner if each is not None)
