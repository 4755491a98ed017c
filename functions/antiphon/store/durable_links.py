"""Links that the queue takes where the table does not, and polls of unfinished responses."""

import time
from collections.abc import Sequence
from typing import Any

from antiphon.errors import Unavailable
from antiphon.observability import logger, metrics
from antiphon.settings.metrics import DEFERRED_ROWS, LINK_NOT_WRITTEN
from antiphon.store.dynamodb import Update
from antiphon.store.links import Link, Links
from antiphon.store.queue import DeferredWrite, PollResponse, Queue


class DurableLinks:
    """Raise Unavailable where both the table and the queue fail.

    Until a deferred link is written its id is as unknown as any other: nothing fails open.
    """

    def __init__(self, links: Links, queue: Queue) -> None:
        self._links = links
        self._queue = queue

    def put(self, link: Link) -> bool:
        """Return whether the link is in the table now; otherwise it waits in the queue."""
        try:
            self._links.put(link)
        except Unavailable:
            self._defer(link, {})
            return False
        return True

    def change(self, link: Link, *, is_deferred: bool = False, **changes: Any) -> None:
        """Set attributes of a link; what a deferred link changes waits in the queue behind it."""
        if is_deferred:
            self._defer(link, changes)
            return
        try:
            self._links.change(link, **changes)
        except Unavailable:
            self._defer(link, changes)

    def change_with(self, link: Link, changes: dict[str, Any], updates: Sequence[Update]) -> None:
        """Set attributes of a link and make other updates, together in one write."""
        self._links.change_with(link, changes, updates)

    def mark_deleted(self, link: Link) -> None:
        """From now on the id is refused; the row stays until it expires."""
        self.change(link, deleted_at=int(time.time()))

    def poll_later(self, link: Link) -> None:
        """Have a response polled until its end; the caller has it, so nothing is raised."""
        if not link.is_pending:
            return
        try:
            self._queue.send(PollResponse(link.tenant, link.id))
        except Unavailable:
            logger.error("response not polled", extra={"link": link.id})
            metrics.count(LINK_NOT_WRITTEN)

    def settle_later(self, link: Link, changes: dict[str, Any]) -> None:
        """Have usage counted against limits when the table takes it; nothing is raised."""
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
        logger.warning("link deferred", extra={"link": link.id})
