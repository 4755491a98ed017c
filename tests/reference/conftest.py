"""A gateway whose targets are played by the simulator, which keeps conversations."""

import pytest


@pytest.fixture
def simulated(played):
    return played
