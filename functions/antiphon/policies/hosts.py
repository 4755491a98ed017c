"""The host of a URL that a provider fetches for a request, as it is written.

What a name resolves to is not known here. A URL that two readers could read differently is
refused: https://url.spec.whatwg.org/#url-parsing and RFC 3986 disagree about backslashes, white
space, numbers and more.
"""

import re
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address

URL = re.compile(
    r"https?://(?P<host>[a-z0-9_-]+(?:\.[a-z0-9_-]+)*\.?|\[[0-9a-f:.]+\])(?::\d{1,5})?(?:[/?#].*)?",
    re.IGNORECASE | re.DOTALL,
)
DATA_URL = re.compile(r"data:", re.IGNORECASE)  # nothing is fetched
NUMBER = re.compile(r"\d+|0x[0-9a-f]*")  # as the last label: WHATWG reads an IPv4 address
LOCAL = "localhost"
NAT64 = IPv6Network("64:ff9b::/96")  # IPv4 addresses within IPv6: RFC 6052


def host_of(url: str) -> str | None:
    """Return the host in lower case, without a dot at its end; None where it is not certain."""
    found = URL.fullmatch(url)
    return None if found is None else found["host"].lower().removesuffix(".")


def is_internal(host: str) -> bool:
    """Whether a host is this machine by its name, or an address that is not of the Internet."""
    if host == LOCAL or host.endswith(f".{LOCAL}"):
        return True
    if not (host.startswith("[") or NUMBER.fullmatch(host.rpartition(".")[2])):
        return False
    try:
        address = ip_address(host.strip("[]"))
    except ValueError:  # another spelling of a number, such as 0x7f.1
        return True
    return not all(map(_is_public, _addresses(address)))


def _addresses(address: IPv4Address | IPv6Address) -> list[IPv4Address | IPv6Address]:
    """Return an address, and those of IPv4 that it contains."""
    if isinstance(address, IPv4Address):
        return [address]
    within = [address.ipv4_mapped, address.sixtofour, *(address.teredo or ())]
    if address in NAT64:
        within.append(IPv4Address(int(address) & 0xFFFF_FFFF))
    return [address, *(each for each in within if each is not None)]


def _is_public(address: IPv4Address | IPv6Address) -> bool:
    return address.is_global and not address.is_multicast
