"""Discards at its provider what could not be recorded: nobody would be able to name it."""

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from antiphon.errors import GatewayError, LinkNotWritten
from antiphon.observability import logger
from antiphon.routing import Routing
from antiphon.store.links import Link
from antiphon.upstream.client import UpstreamClient
from antiphon.upstream.outcome import UpstreamRequest, UpstreamResponse
from antiphon.upstream.stream import UpstreamStream

CANCELLED_KINDS = {"upload", "batch"}  # they cannot be deleted
DISCARD_SECONDS = 4.0  # for each call that discards what could not be recorded


@dataclass(frozen=True, eq=False, repr=False)
class Discarding:
    routing: Routing
    upstream: UpstreamClient

    def discard(self, response: UpstreamResponse, links: Iterable[Link]) -> LinkNotWritten:
        """Have the provider of a response discard all that it made; return the error to raise."""
        if isinstance(response.body, UpstreamStream):
            response.body.close()  # providers end a response whose stream is closed
        for link in links:
            self._discard(link)
        return LinkNotWritten(
            "It was created, but the gateway could not record its owner, so its id is not returned."
        )

    def _discard(self, link: Link) -> None:
        """Have the provider cancel or delete what nobody will be able to name; best effort."""
        candidates = self.routing.candidates_for(link)
        for method, path in _discarding_calls(link):
            ends_at = time.monotonic() + DISCARD_SECONDS
            about = {"link": link.id, "method": method}
            try:
                response = self.upstream.send(
                    candidates, UpstreamRequest(method, path, ends_at=ends_at)
                )
                logger.warning("discarded", extra={**about, "status": response.status})
            except GatewayError as exc:
                logger.error("not discarded", extra={**about, "error": type(exc).__name__})


def _discarding_calls(link: Link) -> Iterator[tuple[str, str]]:
    """Yield method and path of the calls that leave nothing of it at its provider."""
    if link.background or link.kind in CANCELLED_KINDS:
        yield "POST", f"{link.path}/cancel"
    if link.store and link.kind not in CANCELLED_KINDS:
        yield "DELETE", link.path
