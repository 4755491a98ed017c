"""A table for each test, and one whose stream is counted into usage sums."""

import pytest

from tests.support.dynamodb import embedded_store
from tests.support.usage import usage_store


@pytest.fixture
def store():
    with embedded_store() as store:
        yield store


@pytest.fixture
def counted():
    with usage_store() as store:
        yield store
