"""A table of its own for each test, and a clock that stands still."""

import pytest

from tests.support.dynamodb import embedded_store
from tests.support.limits import Clock


@pytest.fixture
def dynamo():
    with embedded_store(stream=False) as table:
        yield table


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def row(dynamo):
    """What is counted at the tenant's row, or at a key's, without what says when."""

    def read(key_id=None):
        name = "T#acme#L" if key_id is None else f"T#acme#L#{key_id}"
        found = dynamo.table.get(name, "LIMITS") or {}
        return {n: v for n, v in found.items() if n not in {"pk", "sk", "expires_at"}}

    return read
