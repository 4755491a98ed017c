"""A transport for providers that speak plain HTTP."""

import pytest

from tests.support.loopback import plain_transport


@pytest.fixture
def transport():
    with plain_transport() as made:
        yield made
