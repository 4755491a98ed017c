"""The narrow waist: what came in, and what goes out, on either door."""

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Protocol, Self


@dataclass(frozen=True)
class Request:
    """One call as the gateway sees it, whichever door it came through."""

    id: str
    method: str
    query: str = ""  # as it stood in the URL, still encoded
    headers: Mapping[str, str] = field(default_factory=dict)  # names in lower case
    body: bytes = b""
    ends_at: float = float("inf")  # time.monotonic() by which Lambda stops us

    @property
    def seconds_left(self) -> float:
        return self.ends_at - time.monotonic()


class Body(Protocol):
    """An answer's body while it is still coming: whole server-sent events, in pieces of bytes."""

    def __iter__(self) -> Iterator[bytes]: ...

    def close(self) -> None: ...


class OnCloseBody:
    """A body with something to do behind its end, which a `close` after it has done once more."""

    def __init__(self, body: Body, then: Callable[[], None]) -> None:
        self._body = body
        self._then = then

    def attach(self, send: Callable[[bytes], None]) -> None:
        attach = getattr(self._body, "attach", None)
        if attach is not None:
            attach(send)

    def __iter__(self) -> Iterator[bytes]:
        try:
            yield from self._body
        finally:
            self.close()

    def close(self) -> None:
        try:
            self._body.close()
        finally:
            self._then()


@dataclass(frozen=True)
class Reply:
    """One answer, the provider's or ours: bytes when it is whole, a `Body` while it streams."""

    status: int
    headers: Mapping[str, str]
    body: bytes | Body

    def with_headers(self, **extra: str) -> Self:
        """Add headers; an underscore in a name stands for the dash."""
        added = {name.replace("_", "-"): value for name, value in extra.items()}
        return replace(self, headers={**self.headers, **added})
