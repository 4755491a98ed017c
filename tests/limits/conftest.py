"""A table of its own for each test, and a clock that does not move by itself."""

import pytest

from tests.support.dynamodb import embedded_store
from tests.support.limits import IN_FLIGHT, MINUTE, NANO, SPENT, Clock, make_admission


@pytest.fixture
def dynamo():
    with embedded_store(stream=False) as table:
        yield table


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def admission(dynamo, clock):
    return make_admission(dynamo.table, clock)


@pytest.fixture
def row(dynamo):
    """Reads the tenant's row, or a key's, without the primary key and the expiry."""

    def read(key_id=None):
        name = "T#acme#L" if key_id is None else f"T#acme#L#{key_id}"
        item = dynamo.table.get(name, "LIMITS") or {}
        return {n: v for n, v in item.items() if n not in {"pk", "sk", "expires_at"}}

    return read


@pytest.fixture
def counts(row):
    """Reads dollars, tokens and responses in flight of `key_1`."""

    def read():
        counters = row("key_1")
        return counters[SPENT] // NANO, counters[MINUTE], counters[IN_FLIGHT]

    return read
