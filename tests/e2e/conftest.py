"""A caller at each door, one after the other."""

import pytest

from tests.support.requests import KeyedRequest


@pytest.fixture
def client(gateway, door):
    with gateway.client(door) as opened:
        yield opened


@pytest.fixture
def keyed(client):
    """Creates with an Idempotency-Key of their own."""
    return KeyedRequest(client)
