"""Rows that say which request an Idempotency-Key stands for, and what became of that request.

A key is stored by its SHA-256, a request by its fingerprint, an outcome by the response's id or a
status: nothing that was said is in them.
"""

import hashlib
import math
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, fields
from typing import Any

from antiphon.errors import Unavailable
from antiphon.http import Request
from antiphon.observability import logger
from antiphon.settings.table import PARTITION_KEY, SORT_KEY
from antiphon.store.dynamodb import ConditionFailed, Item, Table, Update

RECORD_SORT = "CLAIM"
RECORD_SECONDS = 86_400  # seconds from the first request on
MAX_CALL_SECONDS = 900.0  # seconds: Lambda's own limit for one call
GRACE_SECONDS = 5  # seconds behind a request's own limit, for clocks that differ
# A write that was applied but not confirmed is sent again, and meets its own row.
FREE_OR_OURS = "attribute_not_exists(pk) OR free_at <= :now OR request_id = :request_id"


@dataclass(frozen=True, kw_only=True)
class IdempotencyRecord:
    """One request's hold on a key; times are epoch seconds."""

    tenant: str
    key: str  # its SHA-256
    request_id: str  # of the request that the key stands for
    fingerprint: str
    deadline: int  # by which that request has ended, well or not
    free_at: int  # from when on another request may have the key
    expires_at: int
    response_id: str | None = None
    status: int | None = None  # of a failure that may have started a response all the same
    code: str | None = None


class IdempotencyRecords:
    """Raise Unavailable where the table does not answer."""

    def __init__(self, table: Table, clock: Callable[[], float] = time.time) -> None:
        self._table = table
        self.clock = clock

    def claim(self, tenant: str, key: str, fingerprint: str, request: Request) -> IdempotencyRecord:
        """Give the claim that holds the key from now on: this request's, or an earlier one's.

        Of many at once one gets it. It is free for another when its request has ended without
        having started anything, or has told nothing of itself by its deadline.
        """
        now = self.clock()
        deadline = (
            math.ceil(now + min(max(request.seconds_left, 0), MAX_CALL_SECONDS)) + GRACE_SECONDS
        )
        claim = IdempotencyRecord(
            tenant=tenant,
            key=hashlib.sha256(key.encode()).hexdigest(),
            request_id=request.id,
            fingerprint=fingerprint,
            deadline=deadline,
            free_at=deadline,
            expires_at=int(now) + RECORD_SECONDS,
        )
        try:
            self._table.put(_record_row(claim), FREE_OR_OURS, now=int(now), request_id=request.id)
        except ConditionFailed as exc:
            if exc.item is None:
                raise Unavailable("The gateway's store lost a row. Try again.") from exc
            return _record_of_row(exc.item)
        return claim

    def set_response(self, claim: IdempotencyRecord, response_id: str) -> None:
        """From now on the key stands for a response."""
        self._change(claim, free_at=claim.expires_at, response_id=response_id)

    def set_failure(self, claim: IdempotencyRecord, status: int, code: str | None) -> None:
        """From now on the key stands for a failure."""
        self._change(claim, free_at=claim.expires_at, status=status, code=code)

    def free(self, claim: IdempotencyRecord) -> None:
        """Another request may have the key at once."""
        self._change(claim, free_at=0)

    def _change(self, claim: IdempotencyRecord, **changes: Any) -> None:
        update = Update(
            partition=_record_partition(claim),
            sort=RECORD_SORT,
            sets=changes,
            only_if="#request_id = :request_id",
            values={"request_id": claim.request_id},
        )
        try:
            self._table.update(update, return_all=False)
        except ConditionFailed:
            logger.warning("claim changed hands", extra={"request_id": claim.request_id})


def _record_partition(claim: IdempotencyRecord) -> str:
    return f"T#{claim.tenant}#I#{claim.key}"


def _record_row(claim: IdempotencyRecord) -> Item:
    return {PARTITION_KEY: _record_partition(claim), SORT_KEY: RECORD_SORT, **asdict(claim)}


def _record_of_row(item: Item) -> IdempotencyRecord:
    known = {f.name for f in fields(IdempotencyRecord)}
    return IdempotencyRecord(**{name: value for name, value in item.items() if name in known})
