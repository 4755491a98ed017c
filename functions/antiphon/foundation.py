"""What all functions use: the settings, the clients of AWS and the connections of all others.

The only module that makes clients.
"""

import ssl
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING

import certifi

from antiphon.pricing import Prices
from antiphon.settings.config import Settings
from antiphon.store.aws_api import (
    DYNAMODB,
    EVENT_BRIDGE,
    SECRETS_MANAGER,
    SQS,
    DynamoDB,
    EventBridge,
    JsonApi,
    JsonService,
    SecretsManager,
    Sqs,
)
from antiphon.store.aws_session import AwsSession, Botocore
from antiphon.store.circuits import Circuits
from antiphon.store.dynamodb import BatchTable, CallTime, Table
from antiphon.store.links import Links
from antiphon.store.provider_ids import ProviderIds, ReportedLinks
from antiphon.store.queue import NO_ANSWER as QUEUE_NO_ANSWER
from antiphon.store.queue import Queue
from antiphon.upstream.aws_transport import AwsTransport
from antiphon.upstream.transport import LlhttpTransport

if TYPE_CHECKING:
    from antiphon.store.event_bus import EventBus

QUEUE_SECONDS = 2.0  # for all messages of one request
IDLE_CONNECTION_SECONDS = 20.0  # after which a load balancer or NAT may have dropped a connection


class Foundation:
    """What all functions use; raise ConfigError or KeyError where the environment is incomplete."""

    def __init__(self, env: Mapping[str, str]) -> None:
        with ThreadPoolExecutor(1) as thread:  # OpenSSL reads certificates while Python goes on
            tls = thread.submit(build_tls, env)
            settings = Settings.from_env(env)
        self.config = settings.config
        self.gateway, self.targets = settings.config.gateway, settings.config.targets
        self.prices = Prices(settings.config.prices)
        self.tls = tls.result()
        self.table_time = CallTime(self.gateway.table_seconds)
        self.queue_time = CallTime(QUEUE_SECONDS, QUEUE_NO_ANSWER)
        send = AwsTransport(build_transport(self.tls, None, env).exchange)
        self.aws = AwsSession(open_botocore, env, send)
        dynamodb = DynamoDB(self._timed_api(DYNAMODB, self.table_time))
        self.table = Table(dynamodb, settings.table_name, self.table_time)
        self.batch = BatchTable(dynamodb, settings.table_name, self.table_time)
        self.reporting = settings.config.reporting_accounts()
        self.ids = ProviderIds(self.table, self.reporting)
        self.links = ReportedLinks(self.table, self.ids) if self.reporting else Links(self.table)
        self.circuits = Circuits(
            self.table, call_time=self.table_time, max_age=self.gateway.key_cache_seconds
        )
        connect = partial(Sqs, self._timed_api(SQS, self.queue_time))
        self.queue = Queue(connect, settings.queue_url, self.queue_time)
        self.secrets = settings.secrets

    def secrets_manager(self) -> SecretsManager:
        return SecretsManager(self.aws.open_api(SECRETS_MANAGER))

    def event_bus(self) -> "EventBus | None":
        """Return what sends events, if a bus is configured."""
        if self.config.events.bus is None:
            return None
        from antiphon.store.event_bus import EventBus  # noqa: PLC0415  not at the API's start

        client = EventBridge(self.aws.open_api(EVENT_BRIDGE))
        return EventBus(client, self.config.events.bus)

    def _timed_api(self, service: JsonService, time: CallTime) -> JsonApi:
        return self.aws.open_api(service, time.seconds / 3, time.read_seconds)


def open_botocore() -> Botocore:
    """Open a session of botocore; boto3 would only add to the time that its import takes."""
    # 0.1 s of each start, and Lambda's environment says all that most gateways need.
    from botocore.session import get_session  # noqa: PLC0415  see above

    from antiphon.store.botocore_session import BotocoreSession  # noqa: PLC0415  see above

    return BotocoreSession(get_session())


def build_tls(env: Mapping[str, str]) -> ssl.SSLContext:
    """Build the TLS context of all connections."""
    tls = ssl.create_default_context(cafile=env.get("SSL_CERT_FILE") or certifi.where())
    tls.set_alpn_protocols(["http/1.1"])
    return tls


def build_transport(
    tls: ssl.SSLContext, gateway_proxy: str | None, env: Mapping[str, str]
) -> LlhttpTransport:
    """Build a transport that connects by a proxy, if one is configured."""
    address = gateway_proxy or env.get("HTTPS_PROXY") or env.get("https_proxy")
    no_proxy = env.get("NO_PROXY") or env.get("no_proxy") or ""
    if not address:
        return LlhttpTransport(tls, IDLE_CONNECTION_SECONDS)
    # Most gateways have no proxy, and urllib3, which opens the tunnels, takes 0.04 s of each start.
    from antiphon.upstream.proxy import Proxy  # noqa: PLC0415  see above

    return LlhttpTransport(tls, IDLE_CONNECTION_SECONDS, Proxy(address, tls, no_proxy))
