"""A table for each test, and AWS services that a test can make fail."""

import pytest

from tests.support.dynamodb import embedded_store


@pytest.fixture
def store():
    with embedded_store() as store:
        yield store
