"""Idempotency-Keys in a table of this process."""

import pytest

from antiphon.idempotency.guard import Idempotency
from antiphon.store.idempotency import IdempotencyRecords


@pytest.fixture
def idempotency(cloud):
    """Without the parts that only a replay needs."""
    return Idempotency(IdempotencyRecords(cloud.table, cloud.queue), None, None, None, None)
