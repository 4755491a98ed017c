"""Rows of Idempotency-Keys: the request that a key belongs to, and the outcome of that request.

A key is stored as its SHA-256, a request as its fingerprint, an outcome as the id of a response or
as a status: no row has content. See docs/decisions/0007-one-key-one-response.md.
"""

import hashlib
import math
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass, fields
from typing import Any

from antiphon.errors import Unavailable
from antiphon.http import Request
from antiphon.observability import logger
from antiphon.settings.table import PARTITION_KEY, SORT_KEY
from antiphon.store.dynamodb import ConditionFailed, Item, Table, Update, WriteUnknown
from antiphon.store.queue import DeferredUpdates, Queue

RECORD_SORT = "CLAIM"
RECORD_SECONDS = 86_400  # from the first request
GRACE_SECONDS = 5  # after a request's time limit, because clocks differ
# A write that was applied but not confirmed is sent again, and finds its own row.
FREE_OR_OURS = "attribute_not_exists(pk) OR free_at <= :now OR request_id = :request_id"


@dataclass(frozen=True, kw_only=True)
class IdempotencyRecord:
    """The request that a key belongs to; times are epoch seconds."""

    tenant: str
    key: str  # its SHA-256
    request_id: str
    fingerprint: str
    deadline: int  # by which the request has ended in any case
    free_at: int  # when another request may claim the key
    expires_at: int
    response_id: str | None = None
    status: int | None = None  # of a failure after which the provider may have processed it
    code: str | None = None


class IdempotencyRecords:
    """Raise Unavailable where the table does not answer.

    An outcome that the table does not take waits in the queue.
    """

    def __init__(self, table: Table, queue: Queue, clock: Callable[[], float] = time.time) -> None:
        self._table = table
        self._queue = queue
        self.clock = clock

    def claim(self, tenant: str, key: str, fingerprint: str, request: Request) -> IdempotencyRecord:
        """Claim a key; return the record that has it now, this request's or an earlier one's.

        One of many simultaneous requests gets it. Another request may claim it when the first
        has freed it, or has recorded no outcome by its deadline. A claim that may have been made,
        but cannot be used, is given back.
        """
        now = self.clock()
        deadline = math.ceil(request.ends_by(now)) + GRACE_SECONDS
        record = IdempotencyRecord(
            tenant=tenant,
            key=hashlib.sha256(key.encode()).hexdigest(),
            request_id=request.id,
            fingerprint=fingerprint,
            deadline=deadline,
            free_at=deadline,
            expires_at=int(now) + RECORD_SECONDS,
        )
        values = {"now": int(now), "request_id": request.id}
        try:
            self._table.put(
                _to_row(record),
                FREE_OR_OURS,
                is_ours=lambda row: row["request_id"] == request.id,
                **values,
            )
        except ConditionFailed as exc:
            if exc.item is None:
                raise Unavailable("The gateway's store lost a row. Try again.") from exc
            return _from_row(exc.item)
        except WriteUnknown:
            with suppress(Unavailable):
                self.free(record)
            raise
        return record

    def set_response(self, record: IdempotencyRecord, response_id: str) -> bool:
        """Record a response as the outcome until the record expires.

        Return whether the table has it now, like `set_failure` and `free`.
        """
        return self._change(record, free_at=record.expires_at, response_id=response_id)

    def set_failure(self, record: IdempotencyRecord, status: int, code: str | None) -> bool:
        """Record a failure as the outcome until the record expires."""
        return self._change(record, free_at=record.expires_at, status=status, code=code)

    def free(self, record: IdempotencyRecord) -> bool:
        """Let another request claim the key at once."""
        return self._change(record, free_at=0)

    def _change(self, record: IdempotencyRecord, **changes: Any) -> bool:
        update = Update(
            partition=_partition(record),
            sort=RECORD_SORT,
            sets=changes,
            only_if="#request_id = :request_id",
            values={"request_id": record.request_id},
        )
        try:
            self._table.update(update, return_all=False)
        except ConditionFailed:
            about = {"request_id": record.request_id}
            logger.warning("idempotency key claimed by a later request", extra=about)
        except Unavailable:
            self._queue.send(DeferredUpdates((update,)))
            return False
        return True


def _partition(record: IdempotencyRecord) -> str:
    return f"T#{record.tenant}#I#{record.key}"


def _to_row(record: IdempotencyRecord) -> Item:
    return {PARTITION_KEY: _partition(record), SORT_KEY: RECORD_SORT, **asdict(record)}


def _from_row(item: Item) -> IdempotencyRecord:
    known = {f.name for f in fields(IdempotencyRecord)}
    return IdempotencyRecord(**{name: value for name, value in item.items() if name in known})
