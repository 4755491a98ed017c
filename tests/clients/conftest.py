"""openai-python in front of the gateway, as its users set it up."""

import pytest

from tests.clients.sdk import opened
from tests.support.gateway import KEYS


@pytest.fixture
def flavour(door):
    """Both clients of the package, each at an endpoint of its own."""
    return "sync" if door == "url" else "async"


@pytest.fixture
async def sdk(gateway, door, flavour):
    """A client that knows nothing of the gateway but its URL and a key."""
    async with opened(flavour, base_url=gateway.base(door), api_key=KEYS["acme"]) as client:
        yield client


@pytest.fixture
async def stranger(gateway, door, flavour):
    """A client with another tenant's key."""
    async with opened(flavour, base_url=gateway.base(door), api_key=KEYS["umbra"]) as client:
        yield client
