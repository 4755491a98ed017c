"""The host of a URL that a provider fetches for a request, as it is written.

What a name resolves to is not known here. A URL that two readers could read differently is
refused: https://url.spec.whatwg.org/#url-parsing and RFC 3986 disagree about backslashes, white
space, numbers and more.
"""

import re

from antiphon.schema.public_addresses import is_address, is_public

# ASCII: without regard to case, [a-z] also has \u017f, of which WHATWG makes an s.
FLAGS = re.ASCII | re.IGNORECASE | re.DOTALL
URL = re.compile(
    r"""
    https?://
    (?P<host> [a-z0-9_-]+ (?: \.[a-z0-9_-]+ )* \.?  |  \[ [0-9a-f:.]+ \] )
    (?: :\d{1,5} )?
    (?: [/?#].* )?
    """,
    FLAGS | re.VERBOSE,
)
DATA_URL = re.compile(r"data:", FLAGS)  # nothing is fetched
LOCAL = "localhost"


def host_of(url: str) -> str | None:
    """Return the host in lower case, without a dot at its end; None where it is not certain."""
    found = URL.fullmatch(url)
    return None if found is None else found["host"].lower().removesuffix(".")


def is_internal(host: str) -> bool:
    """Whether a host is this machine by its name, or an address that is not of the Internet."""
    if host == LOCAL or host.endswith(f".{LOCAL}"):
        return True
    if host.startswith("["):
        return not is_public(host.strip("[]"))
    # WHATWG reads an IPv4 address wherever the last label is a number, such as in 0x7f.1.
    return is_address(host) and not is_public(host)
