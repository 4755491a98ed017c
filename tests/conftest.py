"""One provider and a few gateways for all tests that send real requests; progress of the run."""

import gc
import signal
import ssl
from functools import cache

import pytest
from hypothesis import HealthCheck, settings

from antiphon.observability import metrics
from tests.support import aws, canaries
from tests.support.concurrency import IS_SOAK
from tests.support.doors import at_one_door
from tests.support.gateway import run_gateway
from tests.support.issuer import AUDIENCE, run_issuer
from tests.support.progress import ProgressReporter
from tests.support.provider import FakeProvider
from tests.support.scheduling import GroupScheduling, rank_of

# `nohup` and shells' background jobs ignore SIGINT, and child processes inherit that. A handler is
# reset to the default in a child, so that tests can end it by SIGINT.
signal.signal(signal.SIGINT, signal.default_int_handler)
# How many inputs a property is tried with where its test does not say.
settings.register_profile(
    "antiphon",
    max_examples=1_000 if IS_SOAK else 25,
    deadline=None,  # how fast a busy machine is decides nothing
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("antiphon")
# Each HTTP client loads 120 certificates, which takes 20 ms, and most of them use plain HTTP here.
ssl.create_default_context = cache(ssl.create_default_context)

CONFIG = """
[gateway]
circuit_failures = 1000000  # no test's failures decide where the requests of the next ones go
table_seconds = 30  # that a busy machine may need
{limits}

[targets.openai]
provider = "openai"
base_url = "{address}/v1"
models = ["gpt-*"]

[targets.azure]
provider = "azure"
endpoint = "{address}"
models = {{ "public" = "deployed", "same" = "same", "o3-pro" = "gpt-4o-mini" }}

[targets.azure-legacy]
provider = "azure"
endpoint = "{address}"
api_version = "2025-04-01-preview"
models = {{ "older" = "older-deployed" }}

[targets.reporting]
provider = "openai"
base_url = "{address}/v1"
account = "lab"
models = ["reported-*"]
files = false
conversations = false
receives_webhooks = true

[targets.simulated]
provider = "openai"
models = ["sim-*", "o3", "played-*"]
conversations = false

[policies.strict]
tools = ["function", "namespace"]
url_hosts = ["*.acme.com"]
store = "force_false"
targets = ["openai", "simulated"]

[tenants.ruled]
policy = "strict"

[auth.jwt]
issuer = "{issuer}"
audience = "{audience}"
models_claim = "models"

[shared.pmpt_of_all]
target = "openai"

[shared.vs_of_acme]
target = "azure"
tenants = ["acme"]
"""
PLAYED = """
[gateway]
circuit_failures = 1000000  # no test's failures decide where the requests of the next ones go

[prices."sim-*"]
input = 1.5
cached_input = 0.5
output = 6

[targets.simulated]
provider = "openai"
models = ["gpt-*", "sim-*", "o3"]

[targets.simulated-azure]
provider = "azure"
models = { "public" = "deployed" }
priority = 2

[batches]
enabled = true

[events]
bus = "default"

[webhooks]
timeout_seconds = 15

[tenants.bounded]
max_vector_stores = 1
"""


@pytest.hookimpl(trylast=True)  # after the terminal reporter
def pytest_configure(config):
    is_controller = not hasattr(config, "workerinput")
    if is_controller and config.pluginmanager.hasplugin("terminalreporter"):
        config.pluginmanager.register(ProgressReporter(config))


@pytest.hookimpl(wrapper=True)
def pytest_collection(session):  # noqa: ARG001  pytest's name
    """Leave out of each pass of the garbage collector what is there for the whole run.

    That is a gigabyte, of modules and of thousands of tests, and takes a third of a second.
    """
    gc.disable()
    try:
        return (yield)
    finally:
        gc.collect()
        gc.freeze()
        gc.enable()


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish():
    """Pass over all objects once; at its end pytest makes five passes over those that are new."""
    gc.collect()
    gc.freeze()


@pytest.hookimpl(optionalhook=True)
@pytest.hookimpl(trylast=True)  # after the random order, which stays within each rank
def pytest_collection_modifyitems(config, items):
    items[:] = at_one_door(config, items)
    if hasattr(config, "workerinput"):
        items.sort(key=lambda item: rank_of(item.nodeid))


def pytest_xdist_make_scheduler(config, log):
    return GroupScheduling(config, log) if config.getoption("dist") == "loadfile" else None


@pytest.fixture(autouse=True)
def _no_leaks():
    """No gateway logs or stores what it must not, whatever the test sends through it."""
    yield
    canaries.check_all()


@pytest.fixture
def cloud():
    """AWS services in this process, which a test can make fail."""
    with aws.fake_aws() as cloud:
        yield cloud


@pytest.fixture
def measured():
    """The value of a metric since the test began."""
    metrics.flush()
    yield metrics.of
    metrics.flush()


@pytest.fixture(scope="session")
def _provider():
    provider = FakeProvider()
    yield provider
    provider.close()


@pytest.fixture
def provider(_provider):
    """The provider of every target except `simulated`, reset for each test."""
    _provider.reset()
    yield _provider
    _provider.reset()


@pytest.fixture(scope="session")
def issuer():
    """Whose tokens the gateways accept in place of keys."""
    with run_issuer() as issuer:
        yield issuer


def configuration(provider, issuer, limits=""):
    """The `gateway.toml` of the gateways before the provider."""
    return CONFIG.format(
        address=provider.address, issuer=issuer.address, audience=AUDIENCE, limits=limits
    )


def _gateway(folder, provider, issuer, limits, *options):
    config = folder / "gateway.toml"
    config.write_text(configuration(provider, issuer, limits))
    return run_gateway(config, folder / "ready.json", *options)


@pytest.fixture(scope="session")
def gateway(tmp_path_factory, _provider, issuer):
    """A gateway with the limits that users have."""
    folder = tmp_path_factory.mktemp("gateway")
    with _gateway(folder, _provider, issuer, "", "--concurrency", "4") as running:
        yield running


@pytest.fixture(scope="session")
def hasty(tmp_path_factory, _provider, issuer):
    """A gateway with short limits: for a silent provider, and for its own run time."""
    folder = tmp_path_factory.mktemp("hasty")
    limits = """
keep_alive_seconds = 0.2
first_event_seconds = 2.5
rest_answer_seconds = 4
max_answer_bytes = 100_000
cors_origins = ["https://app.example.com"]

[batches]
enabled = true
"""
    with _gateway(
        folder, _provider, issuer, limits, "--concurrency", "2", "--timeout", "8"
    ) as running:
        yield running


@pytest.fixture(scope="session")
def played(tmp_path_factory):
    """A gateway whose targets are played by the simulator; conversations begin at the first."""
    folder = tmp_path_factory.mktemp("played")
    config = folder / "gateway.toml"
    config.write_text(PLAYED)
    with run_gateway(config, folder / "ready.json", "--concurrency", "2") as running:
        yield running


@pytest.fixture(params=["url", "rest"])
def door(request):
    """Both URLs, one after the other; outside the soak one of them, see tests/support/doors.py."""
    return request.param
