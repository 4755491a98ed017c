"""A request as it goes out: where to, and its bytes, which hold nothing that could be a second one.

https://www.rfc-editor.org/rfc/rfc9112
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Self
from urllib.parse import urlsplit

from antiphon.relay.transport.errors import Unsendable

# The path and the query are printable ASCII; a fragment is nobody's business.
URL = re.compile(r"(https?)://([^/?#@\s]+)(/[!\"$-~]*)")
LONGEST_TARGET = 65_536
QUOTED = str.maketrans({'"': "%22", "<": "%3C", ">": "%3E"})  # what no URL may have as it is
DOTS = re.compile(r"/\.\.?(/|$)")  # with these, a server may find another path than was meant
TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
VALUE = re.compile(r"([!-~]([\t -~]*[!-~])?)?")
PORTS = {"http": 80, "https": 443}
HAVE_BODIES = {"POST", "PUT", "PATCH"}


@dataclass(frozen=True)
class Origin:
    """Whom a connection is with."""

    secure: bool
    host: str  # without the brackets of an IPv6 address
    port: int

    @property
    def authority(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        usual = PORTS["https" if self.secure else "http"]
        return host if self.port == usual else f"{host}:{self.port}"


@dataclass(frozen=True)
class Outgoing:
    method: str
    origin: Origin
    head: bytes
    body: bytes

    @classmethod
    def to(cls, url: str, method: str, headers: Mapping[str, str], body: bytes = b"") -> Self:
        """Raise Unsendable where URL or headers cannot stand in a request."""
        origin, target = _split(url)
        fields = {"host": origin.authority, "accept": "*/*", "connection": "keep-alive", **headers}
        if body or method in HAVE_BODIES:
            fields["content-length"] = str(len(body))
        return cls(method, origin, _head(method, target, fields), body)


def _split(url: str) -> tuple[Origin, str]:
    found = URL.fullmatch(url)
    if found is None or len(found[3]) > LONGEST_TARGET or DOTS.search(found[3].partition("?")[0]):
        raise Unsendable("This is no address that a request can go to.")
    scheme, place, target = found.groups()
    return _origin(scheme, place), target.translate(QUOTED)


@lru_cache  # those of the configured targets
def _origin(scheme: str, place: str) -> Origin:
    try:
        parts = urlsplit(f"//{place}")
        port, host = parts.port, (parts.hostname or "").encode("idna").decode("ascii")
    except ValueError as exc:
        raise Unsendable("There can be no host of this name.") from exc
    if not host:
        raise Unsendable("There is no host in this address.")
    return Origin(scheme == "https", host, port or PORTS[scheme])


def _head(method: str, target: str, fields: Mapping[str, str]) -> bytes:
    if not TOKEN.fullmatch(method):
        raise Unsendable("This is no method.")
    for name, value in fields.items():
        if not (TOKEN.fullmatch(name) and VALUE.fullmatch(value)):
            raise Unsendable("A header cannot be sent as it is.")
    lines = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    return f"{method} {target} HTTP/1.1\r\n{lines}\r\n".encode("ascii")
