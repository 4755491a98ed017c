import pytest

from tests.support.operating import account


@pytest.fixture
def stacks():
    """The stacks Antiphon-prod and Antiphon-dev, without keys."""
    with account():
        yield
