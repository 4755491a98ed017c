import pytest

from tests.support.commands import operator_account


@pytest.fixture
def stacks():
    """The stacks Antiphon-prod and Antiphon-dev, without keys."""
    with operator_account():
        yield
