import pytest

from tests.support.operating import account


@pytest.fixture
def stacks():
    """Antiphon-prod and Antiphon-dev, without a key."""
    with account():
        yield
