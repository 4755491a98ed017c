"""A table of its own for each test."""

import pytest

from tests.support.dynamodb import embedded_store


@pytest.fixture
def dynamo():
    with embedded_store() as table:
        yield table
