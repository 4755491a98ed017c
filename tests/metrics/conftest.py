"""Functions in real runtime processes that write metrics, and readers of their logs."""

import json

import pytest

from tests.support.function import run_function
from tests.support.metrics import read_emf_lines, read_metric_values

ENVIRONMENT = {"POWERTOOLS_METRICS_DISABLED": "false", "STAGE": "test"}
TARGET_NAMES = ("measured-one", "measured-a", "measured-b", "measured-c")  # that no other test uses


@pytest.fixture
def target(provider):
    """Builds the configuration of a target with a priority."""
    return lambda priority=1: _target(provider, priority)


def _target(provider, priority=1):
    url = f"{provider.address}/v1"
    return {"provider": "openai", "base_url": url, "models": ["gpt-*"], "priority": priority}


class MeasuredFunction:
    """Runs a function; reads what it has logged since the last `forget`."""

    def __init__(self, folder):
        self._log, self._config = folder / "log", folder / "config.json"
        self._position = 0

    def run(self, endpoint, targets, sections=None, **more):
        # Only a target that sends Retry-After gets an open circuit.
        gateway = {"circuit_failures": 1000}
        document = {"gateway": gateway, "targets": targets, **(sections or {})}
        self._config.write_text(json.dumps(document))
        return run_function(endpoint, self._config, self._log, **{**ENVIRONMENT, **more})

    def forget(self):
        self._position = self._log.stat().st_size

    @property
    def log(self):
        return self._log.read_bytes()[self._position :].decode()

    @property
    def values(self):
        return [read_metric_values(line) for line in read_emf_lines(self.log)]

    @property
    def only_values(self):
        (values,) = self.values
        return values


@pytest.fixture(scope="session")
def _credentials(gateway):
    for name in TARGET_NAMES:
        gateway.store_credential(name)


@pytest.fixture(scope="session")
def _shared(_credentials, gateway, _provider, tmp_path_factory):
    """A function with one target."""
    measured = MeasuredFunction(tmp_path_factory.mktemp("metrics"))
    with measured.run(gateway.aws_endpoint, {"measured-one": _target(_provider)}) as invoke:
        yield invoke, measured


@pytest.fixture
def invoke(_shared):
    """Invokes the shared function."""
    return _shared[0]


@pytest.fixture
def measured(_shared):
    """The log of the shared function, since the test began."""
    _shared[1].forget()
    return _shared[1]


@pytest.fixture
def own(_credentials, tmp_path):
    """A function that the test configures itself."""
    return MeasuredFunction(tmp_path)


@pytest.fixture(scope="module")
def own_function(_credentials, gateway, tmp_path_factory):
    """A function that a file configures itself; closes all circuits at the end."""
    yield MeasuredFunction(tmp_path_factory.mktemp("metrics"))
    closed = dict.fromkeys(("until_measured_a", "until_measured_b", "until_measured_c"), 0)
    gateway.change("G#CIRCUITS", "STATE", **closed)
