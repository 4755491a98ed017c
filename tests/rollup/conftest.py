"""A table for each test, with the metadata index or with usage sums."""

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
