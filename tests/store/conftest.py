"""A table for each test, and AWS services that a test can make fail."""

import pytest

from antiphon.observability import metrics
from tests.support import aws
from tests.support.dynamodb import embedded_store


@pytest.fixture
def store():
    with embedded_store() as store:
        yield store


@pytest.fixture
def cloud():
    with aws.fake_aws() as cloud:
        yield cloud


@pytest.fixture
def measured():
    """The value of a metric since the test began."""
    metrics.flush()
    yield metrics.of
    metrics.flush()
