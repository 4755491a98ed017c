"""Cross-origin requests of browsers (CORS): preflights, and who may read an answer.

No answer allows credentials, that is cookies: callers authenticate by a header of their own.
https://fetch.spec.whatwg.org/#http-cors-protocol
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from antiphon.http import FiniteBody, Reply
from antiphon.http_events import LambdaResponse
from antiphon.settings.addresses import ANY_ORIGIN

METHODS = "GET, HEAD, POST, DELETE"
MAX_AGE_SECONDS = "7200"  # for which browsers store a preflight; Chromium takes no more
HEADER_NAMES = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~, -]{1,2000}")
# Headers that a page can read without being allowed to.
SAFE_HEADERS = {"cache-control", "content-language", "content-length", "content-type", "expires"}
MAX_EXPOSED_CHARS = 2_000  # of names; a longer list would exceed what Lambda takes


@dataclass(frozen=True, eq=False, repr=False)
class Cors:
    """The origins whose pages may call the gateway; without any, no answer has CORS headers."""

    origins: frozenset[str]

    def preflight(self, headers: Mapping[str, str]) -> Reply | None:
        """Answer what a browser asks before a request; None for another request or origin."""
        allowed = self._allowed(headers)
        if "access-control-request-method" not in headers or not allowed:
            return None
        answer = {
            "content-type": "application/json",
            "access-control-allow-methods": METHODS,
            "access-control-max-age": MAX_AGE_SECONDS,
            "vary": "access-control-request-headers",
        }
        names = headers.get("access-control-request-headers", "")
        if HEADER_NAMES.fullmatch(names):  # all: a provider gets only those on its own list
            answer["access-control-allow-headers"] = names
        body = FiniteBody((b"{}",))  # and not 204: a Function URL hangs on an empty body
        return Reply(200, answer, body)

    def add_to(self, response: LambdaResponse, headers: Mapping[str, str]) -> LambdaResponse:
        """Add to a response what lets the page read it; `headers` are those of the request."""
        allowed = self._allowed(headers)
        if "headers" in response:
            return {**response, "headers": self._add(allowed, response["headers"])}
        joined = {name: ", ".join(all) for name, all in response["multiValueHeaders"].items()}
        added = self._add(allowed, joined)
        return {**response, "multiValueHeaders": {name: [one] for name, one in added.items()}}

    def _allowed(self, headers: Mapping[str, str]) -> str | None:
        """Return the value of access-control-allow-origin; None for an origin not in the list."""
        if ANY_ORIGIN in self.origins:
            return ANY_ORIGIN
        origin = headers.get("origin")
        return origin if origin in self.origins else None

    def _add(self, allowed: str | None, headers: Mapping[str, str]) -> dict[str, str]:
        added = dict(headers)
        if ANY_ORIGIN not in self.origins:  # another origin gets another answer
            added["vary"] = ", ".join(filter(None, (headers.get("vary"), "origin")))
        if allowed is not None:
            added["access-control-allow-origin"] = allowed
            added["access-control-expose-headers"] = _exposed(headers)
        return added


def _exposed(names: Iterable[str]) -> str:
    """Return all names that a page cannot read otherwise: no pattern may be in that header."""
    exposed = ", ".join(sorted({name.lower() for name in names} - SAFE_HEADERS))
    return exposed if len(exposed) <= MAX_EXPOSED_CHARS else ANY_ORIGIN
