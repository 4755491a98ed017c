"""openai-python in front of the gateway, as its users set it up."""

import pytest

from tests.clients.sdk import opened
from tests.support.gateway import KEYS


@pytest.fixture(params=["sync", "async"])
def flavour(request):
    """Both clients of the package, one after the other."""
    return request.param


@pytest.fixture
async def sdk(gateway, door, flavour):
    """A client that knows nothing of the gateway but its URL and a key."""
    async with opened(flavour, base_url=gateway.base(door), api_key=KEYS["acme"]) as client:
        yield client
