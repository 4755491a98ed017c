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
# What IANA gives out to the internet. `is_global` names what is private, so it takes all other
# addresses for public: deprecated ones such as ::127.0.0.1 and fec0::1, and those to come.
ALLOCATED = ipaddress.IPv6Network("2000::/3")
DOCUMENTATION = ipaddress.IPv6Network("3fff::/20")  # RFC 9637: newer than `is_global`


def is_public(text: str) -> bool:
    """Whether an address, as text, is one of the internet and no multicast."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return False
    return all(_is_global(each) for each in _meant(address))


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


def _is_global(address: Address) -> bool:
    if isinstance(address, ipaddress.IPv6Address) and address not in ALLOCATED:
        return False
    return address.is_global and not address.is_multicast and address not in DOCUMENTATION


def _meant(address: Address) -> Iterator[Address]:
    """Yield the addresses to which packets go: the IPv4 address in some of IPv6, or also that."""
    if isinstance(address, ipaddress.IPv4Address):
        yield address
    elif address.ipv4_mapped is not None:
        yield address.ipv4_mapped
    elif address in TRANSLATED:
        yield ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    else:
        yield address
        inner = (address.sixtofour, *(address.teredo or ()))
        yield from (each for each in inner if each is not None)
