"""Links whose writes come late rather than never, and responses that are not forgotten."""

from typing import Any

from antiphon.errors import Unavailable
from antiphon.observability import logger, metrics
from antiphon.settings.metrics import DEFERRED_ROWS, LINK_NOT_WRITTEN
from antiphon.store.dynamodb import Table
from antiphon.store.links import Link, Links
from antiphon.store.queue import DeferredWrite, PollResponse, Queue


class DurableLinks(Links):
    """What the table does not take goes to the queue; raise Unavailable where both do not.

    Until a late link is written its id is as unknown as any other: nothing fails open.
    """

    def __init__(self, table: Table, queue: Queue) -> None:
        super().__init__(table)
        self._queue = queue
        # The request whose links wait in the queue: what it changes has to wait behind them.
        # One is enough, for an environment serves one request at a time.
        self._late: str | None = None

    def put(self, link: Link) -> None:
        try:
            super().put(link)
        except Unavailable:
            self._defer(link, {})

    def change(self, link: Link, **changes: Any) -> None:
        if link.request_id == self._late:
            self._defer(link, changes)
            return
        try:
            super().change(link, **changes)
        except Unavailable:
            self._defer(link, changes)

    def follow(self, link: Link) -> None:
        """Have a response settled once it has ended; the caller has the answer, so never raise."""
        if link.request_id == self._late or not link.pending:
            return  # a late link is followed from when it is written
        try:
            self._queue.send(PollResponse(link.tenant, link.id))
        except Unavailable:
            logger.error("response not followed", extra={"link": link.id})
            metrics.count(LINK_NOT_WRITTEN)

    def tell_later(self, link: Link, changes: dict[str, Any]) -> None:
        """Have what a response used counted once the table takes it; never raise."""
        try:
            self._queue.send(DeferredWrite(link, changes))
        except Unavailable:
            logger.error("usage not counted against limits", extra={"link": link.id})

    def _defer(self, link: Link, changes: dict[str, Any]) -> None:
        try:
            self._queue.send(DeferredWrite(link, changes))
        except Unavailable:
            metrics.count(LINK_NOT_WRITTEN)
            raise
        metrics.count(DEFERRED_ROWS)
        self._late = link.request_id
        logger.warning("link deferred", extra={"link": link.id})
