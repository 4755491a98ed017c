"""A gateway that is quick to give up, in front of the scripted provider; one for all faults."""

import pytest

from tests.faults.tcp_shim import run_tcp_shim
from tests.support.gateway import run_gateway

CONFIG = """
[gateway]
keep_alive_seconds = 0.2
first_event_seconds = 1
idle_seconds = 1
circuit_failures = 1000000

[targets.openai]
provider = "openai"
base_url = "{address}/v1"
models = ["gpt-*"]

[targets.shimmed]
provider = "openai"
base_url = "{shimmed}/v1"
models = ["shimmed"]
"""
CREDENTIALS = dict.fromkeys(("ANTIPHON_SECRET_OPENAI", "ANTIPHON_SECRET_SHIMMED"), "credential")


@pytest.fixture(scope="session")
def shim(_provider):
    """The wire between the gateway and its target `shimmed`."""
    with run_tcp_shim(_provider.address) as running:
        yield running


@pytest.fixture(scope="session")
def impatient(tmp_path_factory, _provider, shim):
    folder = tmp_path_factory.mktemp("impatient")
    config = folder / "gateway.toml"
    config.write_text(CONFIG.format(address=_provider.address, shimmed=shim.address))
    options = ("--concurrency", "8", "--timeout", "6")
    with run_gateway(config, folder / "ready.json", *options, credentials=CREDENTIALS) as running:
        yield running
