import pytest

from tests.support.commands import operator_account


@pytest.fixture
def stacks():
    """Antiphon-prod and Antiphon-dev, without a key."""
    with operator_account():
        yield
