"""Files as they pass, byte for byte: one that is cut never looks complete.

Once the status is sent only a broken connection says so: where a file is not complete, the
iteration raises, and the runtime breaks the response off.
"""

from collections.abc import Callable, Iterator
from itertools import chain
from urllib.parse import urljoin, urlsplit

import httpx

from antiphon.errors import DownloadTooLarge, GatewayError, UpstreamFailed
from antiphon.http import Send
from antiphon.observability import logger
from antiphon.settings.addresses import LOOPBACK
from antiphon.upstream.faults import translate_error
from antiphon.upstream.http1 import NO_BODY, Received, request_head
from antiphon.upstream.timers import NEVER, ReadTimer, gateway_stopped
from antiphon.upstream.transport import Outgoing

MAX_BYTES = 200_000_000  # Lambda ends a streamed response at 200 MB
EXAMPLE = 'client.files.content(id, extra_headers={"Range": "bytes=0-99999999"})'
NOT_FOLLOWED = "The provider redirects to an address that is not followed."
PARTIAL_CONTENT = 206
# Headers that go to the address to which a provider redirects: nothing that identifies anybody.
TO_REDIRECT = ("accept", "accept-encoding", "if-range", "range", "user-agent")


class Download:
    """The bytes of a file: open it, iterate it once, and close it in any case."""

    def __init__(
        self,
        chunks: Iterator[bytes],
        timer: ReadTimer,
        close: Callable[[], None],
        max_silence: float,
    ) -> None:
        """`max_silence`: seconds without a byte of the provider, after the first ones."""
        self._timer = timer
        self._close = close
        self._max_silence = max_silence
        self._size = 0
        self._chunks = self._read(chunks)
        self._first = b""
        self.fault: GatewayError | None = None  # why it is not complete
        self.on_close: Callable[[], None] = lambda: None

    def open(self) -> bool:
        """Return whether the file has any bytes; raise GatewayError: the status is still open."""
        self._first = next(self._chunks, b"")
        self._timer.answers_by = NEVER
        return bool(self._first)

    def __iter__(self) -> Iterator[bytes]:
        return chain((self._first,), self._log_fault())

    def attach(self, send: Send) -> None:
        """Send nothing: nothing can be between the bytes of a file."""

    def interrupt(self) -> None:
        """End the file where it is, as its provider's silence would."""
        self._timer.end_read(gateway_stopped())

    def close(self) -> None:
        self._close()
        on_close, self.on_close = self.on_close, lambda: None
        on_close()

    def _log_fault(self) -> Iterator[bytes]:
        try:
            yield from self._chunks
        except GatewayError as exc:
            self.fault = exc
            logger.warning("download broken", extra={"code": exc.code, "bytes": self._size})
            raise

    def _read(self, chunks: Iterator[bytes]) -> Iterator[bytes]:
        try:
            for chunk in chunks:
                self._timer.last_read = NEVER  # while the caller takes what has arrived
                self._size += len(chunk)
                if self._size > MAX_BYTES:
                    raise DownloadTooLarge(_too_large("The file", self._size))
                yield chunk
                self._timer.allow_silence(self._max_silence)
        except httpx.RequestError as exc:
            raise self._timer.fault or translate_error(exc) from exc


def check_download(response: Received, *, has_range: bool) -> None:
    """Raise GatewayError for a file whose end could not be known, or that is too large to pass.

    `has_range`: whether a part of the file was requested.
    """
    if not response.has_declared_end and response.status not in NO_BODY:
        raise UpstreamFailed("The provider does not state how long the file is.")
    length = int(response.headers.get("content-length", "0"))
    if length <= MAX_BYTES:
        return
    if has_range and response.status != PARTIAL_CONTENT:
        raise DownloadTooLarge(
            f"The file has {length:,} bytes, of which the gateway can send {MAX_BYTES:,} in one "
            "response, and the provider ignores the header Range. Get the file from the provider."
        )
    name = "The requested part" if response.status == PARTIAL_CONTENT else "The file"
    raise DownloadTooLarge(_too_large(name, length))


def redirected(request: Outgoing, response: Received) -> Outgoing:
    """Return the request to which a provider redirects, without the gateway's credential.

    Raise UpstreamFailed for an address that is not https. Plain http to a loopback address is
    followed only where the target has one too: in Lambda, events of other callers are at another.
    """
    headers = {name: request.headers[name] for name in TO_REDIRECT if name in request.headers}
    try:
        location = response.headers.get("location") or "about:blank"
        url = urljoin(str(request.place.url), location)
        is_local = request.place.url.scheme == "http" and urlsplit(url).hostname in LOOPBACK
        if url.startswith("https://") or is_local:
            found, head = request_head(request.method, url, headers, 0)
            return Outgoing(found, request.method, head, b"", request.limits, headers)
    except (httpx.RequestError, ValueError) as exc:
        raise UpstreamFailed(NOT_FOLLOWED) from exc
    raise UpstreamFailed(NOT_FOLLOWED)


def _too_large(name: str, size: int) -> str:
    return (
        f"{name} has {size:,} bytes, and the gateway can send {MAX_BYTES:,} in one response. "
        f"Get it in parts by the header Range, in Python: {EXAMPLE}"
    )
