"""Gateways for faults: one that is quick to give up, one whose AWS can fail in each way."""

import asyncio
import os
import socket
from contextlib import asynccontextmanager
from dataclasses import dataclass

import httpx
import pytest
import pytest_asyncio

from infra.local import gateway
from infra.local.aws.resources import TABLE, queue_url
from infra.local.options import GatewayOptions, LocalKey
from infra.local.processes import Processes
from infra.local.request_log import RequestLog
from infra.local.target_setup import build_target_setup
from tests.faults.aws_proxy import AwsProxy, run_aws_proxy
from tests.faults.tcp_shim import run_tcp_shim
from tests.support.aws_clients import aws_client, aws_table
from tests.support.gateway import run_gateway
from tests.support.requests import CREATE
from tests.support.upstream import create_certificate, make_server_context, run_peer

CONFIG = """
[gateway]
keep_alive_seconds = 0.2
first_event_seconds = 3
idle_seconds = 3
circuit_failures = 1000000

[targets.openai]
provider = "openai"
base_url = "{address}/v1"
models = ["gpt-*"]

[targets.shimmed]
provider = "openai"
base_url = "{shimmed}/v1"
models = ["shimmed"]

[targets.refusing]
provider = "openai"
base_url = "http://127.0.0.1:{refusing}/v1"
models = ["refusing"]

[targets.unknown]
provider = "openai"
base_url = "https://{unknown}/v1"
models = ["unknown"]

[targets.untrusted]
provider = "openai"
base_url = "{untrusted}"
models = ["untrusted"]
"""
TARGETS = ("OPENAI", "SHIMMED", "REFUSING", "UNKNOWN", "UNTRUSTED")
CREDENTIALS = {f"ANTIPHON_SECRET_{target}": "credential" for target in TARGETS}
TOO_LONG_NAME = ".".join(["x" * 60] * 5)  # a resolver refuses it without a network
MANY = 100  # connections


@pytest.fixture(scope="session")
def shim(_provider):
    """The wire between the gateway and its target `shimmed`."""
    with run_tcp_shim(_provider.address) as running:
        yield running


@pytest.fixture(scope="session")
def refusing_port():
    """Nobody listens here, and nobody else can."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield bound.getsockname()[1]


@pytest.fixture(scope="session")
def untrusted(tmp_path_factory):
    """A provider with a certificate that the gateway does not trust; each connection is a turn."""
    tls = make_server_context(create_certificate(tmp_path_factory.mktemp("untrusted")))

    def shake_hands(connection):
        tls.wrap_socket(connection, server_side=True)

    with run_peer(*[shake_hands] * MANY) as peer:
        yield peer


@pytest.fixture(scope="session")
def impatient(tmp_path_factory, _provider, shim, refusing_port, untrusted):
    folder = tmp_path_factory.mktemp("impatient")
    config = folder / "gateway.toml"
    addresses = {
        "address": _provider.address,
        "shimmed": shim.address,
        "refusing": refusing_port,
        "unknown": TOO_LONG_NAME,
        "untrusted": untrusted.url.replace("http:", "https:"),
    }
    config.write_text(CONFIG.format(**addresses))
    options = ("--concurrency", "4", "--timeout", "9")
    with run_gateway(config, folder / "ready.json", *options, credentials=CREDENTIALS) as running:
        yield running


@dataclass(frozen=True)
class Shimmed(GatewayOptions):
    """A gateway whose functions reach their AWS over the shim."""

    shim: AwsProxy | None = None

    def function(self, name, endpoint, configuration):
        return super().function(name, self.shim.before(endpoint), configuration)


@dataclass
class ShimmedGateway:
    """Such a gateway, its shim, and its AWS past the shim."""

    client: httpx.AsyncClient
    shim: AwsProxy
    aws: str

    async def create(self, **more):
        return await self.client.post("/responses", json={**CREATE, **more})

    def row(self, id, kind="R"):
        """Read past the shim."""
        table = aws_table(TABLE, self.aws)
        return table.get_item(Key={"pk": f"T#acme#{kind}#{id}", "sk": "LINK"}).get("Item")

    async def wait_for_row(self, id, status):
        while (row := self.row(id)) is None or row["status"] != status:  # noqa: ASYNC110
            await asyncio.sleep(0.1)  # nobody tells of a row
        return row


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def _shimmed(_provider):
    with run_aws_proxy() as shim:
        async with _run_shimmed(_provider, shim) as running:
            yield running


@asynccontextmanager
async def _run_shimmed(_provider, shim):
    target = {"provider": "openai", "base_url": f"{_provider.address}/v1", "models": ["*"]}
    document = {"targets": {"openai": target}}
    options = Shimmed(
        keys=[LocalKey("acme", "key-of-acme")],
        setup=build_target_setup(document, {"OPENAI_API_KEY": "credential"}),
        simulated_models=[],
        env=os.environ,
        port=0,
        rest_port=0,
        concurrency=1,
        shim=shim,
    )
    headers = {"authorization": "Bearer key-of-acme"}
    async with (
        gateway.run_gateway(options, Processes(), RequestLog(), lambda: None) as serves,
        httpx.AsyncClient(
            base_url=serves.url, headers=headers, trust_env=False, timeout=60
        ) as client,
    ):
        # So that a message soon comes again that met a fault.
        aws_client("sqs", endpoint=serves.aws).set_queue_attributes(
            QueueUrl=queue_url(serves.aws), Attributes={"VisibilityTimeout": "3"}
        )
        yield ShimmedGateway(client, shim, serves.aws)


@pytest.fixture
def shimmed(_shimmed):
    yield _shimmed
    _shimmed.shim.restore()
