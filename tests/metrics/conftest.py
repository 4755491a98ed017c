"""A function in a real runtime process that tells its figures, and what it has told."""

import json

import boto3
import pytest

from infra.local.things import SECRET_PREFIX
from tests.support.aws import LOCAL_AWS
from tests.support.function import run_function
from tests.support.metrics import read_emf_lines, read_metric_values

TOLD = {"POWERTOOLS_METRICS_DISABLED": "false", "STAGE": "test"}
NAMES = ("measured-one", "measured-a", "measured-b")  # targets of nobody else


@pytest.fixture
def target(provider):
    """The rest of a target, by its priority."""
    return lambda priority=1: _target(provider, priority)


def _target(provider, priority=1):
    url = f"{provider.address}/v1"
    return {"provider": "openai", "base_url": url, "models": ["gpt-*"], "priority": priority}


class Measured:
    """What a function has told since that was last forgotten."""

    def __init__(self, folder):
        self._log, self._config = folder / "log", folder / "config.json"
        self._told = 0

    def running(self, endpoint, targets, sections=None, **more):
        # So patient with targets that fail that none is spared but one that asks for it.
        gateway = {"circuit_failures": 1000}
        document = {"gateway": gateway, "targets": targets, **(sections or {})}
        self._config.write_text(json.dumps(document))
        return run_function(endpoint, self._config, self._log, **{**TOLD, **more})

    def forget(self):
        self._told = self._log.stat().st_size

    @property
    def log(self):
        return self._log.read_bytes()[self._told :].decode()

    @property
    def values(self):
        return [read_metric_values(line) for line in read_emf_lines(self.log)]

    @property
    def only(self):
        (told,) = self.values
        return told


@pytest.fixture(scope="session")
def _credentials(gateway):
    secrets = boto3.client("secretsmanager", endpoint_url=gateway.aws_endpoint, **LOCAL_AWS)
    for name in NAMES:
        secrets.create_secret(Name=f"{SECRET_PREFIX}/{name}", SecretString="credential")


@pytest.fixture(scope="session")
def _one(_credentials, gateway, _provider, tmp_path_factory):
    """A function with one target."""
    made = Measured(tmp_path_factory.mktemp("metrics"))
    with made.running(gateway.aws_endpoint, {"measured-one": _target(_provider)}) as asked:
        yield asked, made


@pytest.fixture
def one(_one):
    return _one[0]


@pytest.fixture
def measured(_one):
    """What `one` tells in this test."""
    _one[1].forget()
    return _one[1]


@pytest.fixture
def another(_credentials, gateway, tmp_path):
    """For a function of the test's own; of no target a circuit is known afterwards."""
    yield Measured(tmp_path)
    gateway.change("G#CIRCUITS", "STATE", until_measured_a=0, until_measured_b=0)
