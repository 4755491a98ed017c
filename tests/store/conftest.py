"""A table of its own for each test."""

import pytest

from tests.support.dynamo import held


@pytest.fixture
def dynamo():
    with held() as table:
        yield table
