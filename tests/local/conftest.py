import pytest

from tests.local.gateway_rig import Gate


@pytest.fixture
async def gate():
    async with Gate().open() as gate:
        yield gate
