"""A gateway whose one target is played by the simulator, and keeps conversations."""

import pytest

from tests.support.gateway import run_gateway

CONFIG = """
[targets.simulated]
provider = "openai"
models = ["*"]
"""


@pytest.fixture(scope="session")
def simulated(tmp_path_factory):
    folder = tmp_path_factory.mktemp("simulated")
    config = folder / "gateway.toml"
    config.write_text(CONFIG)
    with run_gateway(config, folder / "ready.json", "--concurrency", "2") as running:
        yield running
