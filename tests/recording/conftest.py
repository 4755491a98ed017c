"""AWS services that a test can make fail, and the values of metrics."""

import pytest

from antiphon.observability import metrics
from tests.support import aws


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
