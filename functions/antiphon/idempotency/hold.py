"""What one request holds of its Idempotency-Key, from before it is sent to its outcome."""

from collections.abc import Callable
from dataclasses import replace
from types import TracebackType
from typing import Self

from antiphon.errors import (
    GatewayError,
    LinkNotWritten,
    Unavailable,
    UpstreamFailed,
    UpstreamNotReached,
    UpstreamRefusedUs,
)
from antiphon.http import Ending, Reply
from antiphon.observe import logger
from antiphon.store.idempotency import Claim, Claims
from antiphon.store.links import Link

OK = range(200, 300)
FAILED = 500
OVERLOADED = {503, 529}  # with which a provider says that it began nothing
STARTED = (UpstreamFailed, LinkNotWritten)
NOT_STARTED = (UpstreamNotReached, UpstreamRefusedUs)


class Hold:
    """Without a claim of its own it does nothing; `earlier` is another request's on the same key.

    What certainly began nothing frees the key. For what may have begun a response the key stands
    from then on. Both are notes: where the table does not take one, the deadline frees the key.
    """

    def __init__(self, claims: Claims, claim: Claim | None, earlier: Claim | None = None) -> None:
        self.earlier = earlier
        self._claims = claims
        self._claim = claim
        self._id: str | None = None
        self._noted = claim is None

    def keep(self, link: Link) -> None:
        """Note a response's id before anybody gets it: a crash from here on loses nothing."""
        self._id = link.id
        self._note(lambda claim: self._claims.keep(claim, link.id))

    def settle(self, reply: Reply) -> Reply:
        """Note what became of the request; a stream that has named no response is waited for."""
        if reply.status not in OK:
            self._refused(reply.status)
        elif isinstance(reply.body, bytes):
            self._end()
        elif not self._noted:
            return replace(reply, body=Ending(reply.body, self._end))
        return reply

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if isinstance(exc, GatewayError):
            self._raised(exc)
        elif isinstance(exc, Exception):
            self._fail(FAILED, GatewayError.code)

    def _raised(self, fault: GatewayError) -> None:
        if isinstance(fault, STARTED) and not isinstance(fault, NOT_STARTED):
            self._fail(fault.status, fault.code)
        else:
            self._note(self._claims.free)

    def _refused(self, status: int) -> None:
        if status >= FAILED and status not in OVERLOADED:
            self._fail(status, UpstreamFailed.code)
        else:
            self._note(self._claims.free)

    def _end(self) -> None:
        """All has been said: what is not noted by now is noted as it is."""
        if self._noted:
            return
        id = self._id
        if id is None:
            self._fail(UpstreamFailed.status, UpstreamFailed.code)
        else:
            self._note(lambda claim: self._claims.keep(claim, id))

    def _fail(self, status: int, code: str | None) -> None:
        self._note(lambda claim: self._claims.fail(claim, status, code))

    def _note(self, note: Callable[[Claim], None]) -> None:
        """The caller's answer is worth more than the note, so a failure is only logged."""
        if self._claim is None:
            return
        try:
            note(self._claim)
            self._noted = True
        except Unavailable:
            logger.exception("idempotency key not noted", extra={"link": self._id})
