"""A caller at each door, one after the other."""

import pytest

from tests.support.keyed import Keyed


@pytest.fixture
def client(gateway, door):
    with gateway.client(door) as opened:
        yield opened


@pytest.fixture
def keyed(client):
    """Creates with an Idempotency-Key of their own."""
    return Keyed(client)
