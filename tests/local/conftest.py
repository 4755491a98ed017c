"""What the tests of the local endpoints share."""

import pytest_asyncio

from tests.local.gateway_rig import Gate, gateway


@pytest_asyncio.fixture(loop_scope="module")
async def gate():
    async with Gate().open() as gate:
        yield gate


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def running():
    async with gateway() as endpoints:
        yield endpoints


@pytest_asyncio.fixture(loop_scope="module")
async def endpoints(running):
    """Both endpoints of a gateway with one process, which all tests of a module share."""
    yield running
    await running.close()
