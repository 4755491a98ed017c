"""One gateway before many targets, each of them played by a provider of its own."""

import socket
import threading
from contextlib import contextmanager, suppress

import pytest

from tests.support.gateway import run_gateway
from tests.support.provider import FakeProvider

NAMES = ("first", "second", "third", "shared-a", "shared-b", "shared-c", "azure-a", "azure-b")
CONFIG = """
[gateway]
circuit_failures = 100000
first_event_seconds = 3
table_seconds = 30
read_after_write_seconds = 2
pass_headers = ["x-acme-*", "x-acme-te*", "x-note"]

[targets.first]
provider = "openai"
base_url = "{first}/v1"
models = ["one", "two", "three", "mixed"]

[targets.second]
provider = "openai"
base_url = "{second}/v1"
models = ["two", "three", "unreachable", "untrusted", "either"]
priority = 2

[targets.plain]
provider = "openai"
base_url = "{first}/v1"
models = ["plain", "either"]
without = ["background", "compact", "retrieve"]

[targets.third]
provider = "openai"
base_url = "{third}/v1"
models = ["three"]
priority = 3

[targets.closed]
provider = "openai"
base_url = "{closed}/v1"
models = ["unreachable", "nowhere"]

[targets.no-tls]
provider = "openai"
base_url = "{no_tls}/v1"
models = ["untrusted"]

[targets.shared-a]
provider = "openai"
base_url = "{shared_a}/v1"
models = ["shared"]
account = "team"

[targets.shared-b]
provider = "openai"
base_url = "{shared_b}/v1"
models = ["shared"]
account = "team"
priority = 2

[targets.shared-c]
provider = "openai"
base_url = "{shared_c}/v1"
models = ["shared"]
priority = 3

[targets.azure-a]
provider = "azure"
endpoint = "{azure_a}"
models = {{ "deployed" = "deployed-a", "mixed" = "mixed-a" }}

[targets.azure-b]
provider = "azure"
endpoint = "{azure_b}"
models = {{ "deployed" = "deployed-b" }}
priority = 2
"""


@pytest.fixture(scope="session")
def _providers():
    providers = {name: FakeProvider() for name in NAMES}
    yield providers
    for provider in providers.values():
        provider.close()


@pytest.fixture
def providers(_providers):
    """By the target's name, fresh for each test."""
    for provider in _providers.values():
        provider.reset()
    yield _providers
    for provider in _providers.values():
        provider.reset()


@pytest.fixture(scope="session")
def many(tmp_path_factory, _providers):
    """The gateway, whose circuits stay closed, so that each test begins with all targets."""
    folder = tmp_path_factory.mktemp("many")
    config = folder / "gateway.toml"
    addresses = {name.replace("-", "_"): p.address for name, p in _providers.items()}
    with (
        Slamming() as no_tls,
        refusing() as closed,
        started_with(config, no_tls, closed, addresses, folder) as gateway,
    ):
        yield gateway


def started_with(config, no_tls, closed, addresses, folder):
    config.write_text(CONFIG.format(**addresses, closed=closed, no_tls=no_tls))
    keys = {"OPENAI_API_KEY": "credential", "AZURE_OPENAI_API_KEY": "credential"}
    return run_gateway(config, folder / "ready.json", "--concurrency", "2", credentials=keys)


class Slamming:
    """Accepts connections and closes them: no TLS handshake gets anywhere."""

    def __enter__(self):
        self._listener = socket.create_server(("127.0.0.1", 0))
        threading.Thread(target=self._accept, daemon=True).start()
        return f"https://127.0.0.1:{self._listener.getsockname()[1]}"

    def __exit__(self, *_):
        self._listener.close()

    def _accept(self):
        with suppress(OSError):  # closed at the end
            while True:
                self._listener.accept()[0].close()


@contextmanager
def refusing():
    """An address at which nobody listens, and nobody else can."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{bound.getsockname()[1]}"
