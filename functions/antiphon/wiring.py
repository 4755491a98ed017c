"""Builds the gateway from its settings. The only module that makes a client."""

import ssl
from collections.abc import Mapping
from functools import partial
from typing import Any

import botocore.session
import certifi
from botocore.config import Config

from antiphon.api import conversations, docs, listing, models, responses, usage
from antiphon.api.conversations import Conversations
from antiphon.api.handler import ApiHandler
from antiphon.api.listing import Listings
from antiphon.api.models import Models
from antiphon.api.responses import Responses
from antiphon.auth import Auth
from antiphon.follow_up import FollowUp, SqsHandler
from antiphon.http_events import RequestReader
from antiphon.idempotency.guard import Idempotency
from antiphon.limits.admission import Admission
from antiphon.ownership import Ownership
from antiphon.pricing import Prices, UsageCost, load_price_list
from antiphon.recording.recorder import ResponseRecorder
from antiphon.recording.tracker import Stores
from antiphon.relay.transport.client import Client
from antiphon.rollup import StreamHandler, UsageRollup
from antiphon.routing import Routing
from antiphon.settings.config import Settings
from antiphon.store.circuits import Circuits
from antiphon.store.durable_links import DurableLinks
from antiphon.store.dynamodb import BatchTable, Table
from antiphon.store.idempotency import IdempotencyRecords
from antiphon.store.items import Items
from antiphon.store.keys import ApiKeys
from antiphon.store.links import Links
from antiphon.store.listings import LinkListing, MetadataIndex
from antiphon.store.queue import Queue
from antiphon.store.secrets import ProviderSecrets
from antiphon.store.usage import UsageSums
from antiphon.store.web_identity import WebIdentity
from antiphon.upstream.circuit_breaker import CircuitBreaker
from antiphon.upstream.client import Means, UpstreamClient
from antiphon.upstream.credentials import Credentials
from antiphon.upstream.entra import EntraTokens
from antiphon.upstream.exchange import Exchange

# botocore waits 60 s and tries up to 10 times by itself; a caller waits for neither.
# What is sent is ours, so it is not checked against the model each time: that took a tenth.
AWS = Config(
    connect_timeout=1,
    read_timeout=2,
    retries={"mode": "standard", "total_max_attempts": 2},
    parameter_validation=False,
)
IDLE_CONNECTION_SECONDS = 20.0  # older ones may have been forgotten by what lies between


class _Parts:
    """What functions share; raise ConfigError or KeyError where the environment is not complete."""

    def __init__(self, env: Mapping[str, str]) -> None:
        settings = Settings.from_env(env)
        session = botocore.session.get_session()  # boto3 would add nothing but time to the start

        def client(service: str) -> Any:
            return session.create_client(service, config=AWS)

        dynamodb = client("dynamodb")
        self.targets, self.gateway = settings.config.targets, settings.config.gateway
        self.config = settings.config
        self.prices = Prices(settings.config.prices)
        self.table = Table(dynamodb, settings.table_name)
        self.batch = BatchTable(dynamodb, settings.table_name)
        self.circuits = Circuits(self.table)
        self.queue = Queue(partial(client, "sqs"), settings.queue_url)
        self.client, self.secret_prefix = client, settings.secret_prefix


class _Calls:
    """What goes to a provider, and what is written down of it."""

    def __init__(self, parts: _Parts, env: Mapping[str, str]) -> None:
        links, items = DurableLinks(parts.table, parts.queue), Items(parts.batch)
        client = provider_client(env)
        # Made while the function starts, when Lambda gives it a whole processor.
        secrets = ProviderSecrets(parts.client("secretsmanager"), parts.secret_prefix)
        identity = WebIdentity(partial(parts.client, "sts"))
        kept = parts.gateway
        means = Means(
            Exchange(client, kept),
            Credentials(parts.targets, secrets, EntraTokens(client, secrets, identity.token)),
            CircuitBreaker(parts.circuits, kept.circuit_failures, kept.circuit_seconds),
            kept.read_after_write_seconds,
        )
        self.ownership = Ownership(links, items)
        self.routing = Routing(parts.targets, self.ownership)
        self.relay = UpstreamClient(means)
        stores = Stores(links, items, kept.links_days, kept.conversation_days)
        self.admission = Admission.over(parts.table, parts.prices, parts.config)
        self.ledger = ResponseRecorder(stores, self.admission)


def api(env: Mapping[str, str]) -> ApiHandler:
    """The HTTP API."""
    parts = _Parts(env)
    calls = _Calls(parts, env)
    auth = Auth(ApiKeys(parts.batch, parts.circuits), parts.gateway.key_cache_seconds)
    receive = RequestReader(parts.gateway.max_body_bytes)
    lists = LinkListing(parts.table, parts.batch, parts.gateway.metadata_index)
    made = (auth, calls.ownership, calls.routing, calls.relay, calls.ledger)
    once = Idempotency(IdempotencyRecords(parts.table), *made[1:])
    return ApiHandler(
        api=[
            responses.router(Responses(*made, calls.admission, once), receive),
            conversations.router(Conversations(*made), receive),
            listing.router(Listings(auth, calls.ownership, lists), receive),
            models.router(Models(auth, calls.routing, calls.relay), receive),
            usage.router(usage.UsageEndpoint(auth, UsageSums(parts.table)), receive),
        ],
        open_to_all=[docs.health_router(), docs.router()],
    )


def settle(env: Mapping[str, str]) -> SqsHandler:
    """What works on the queue."""
    parts = _Parts(env)
    calls = _Calls(parts, env)
    return SqsHandler(
        FollowUp(
            links=Links(parts.table),
            queue=parts.queue,
            routing=calls.routing,
            relay=calls.relay,
            ledger=calls.ledger,
            admission=calls.admission,
            patience=parts.gateway.settle_hours * 3600,
        )
    )


def rollup(env: Mapping[str, str]) -> StreamHandler:
    """The follower of the table's stream."""
    parts = _Parts(env)
    index = MetadataIndex(parts.table, parts.batch, parts.gateway.metadata_index)
    load_price_list()  # while Lambda gives the start a whole processor
    sums = UsageRollup(parts.table, UsageCost(parts.prices, parts.targets))
    return StreamHandler([index.follow, sums.follow])


def provider_client(env: Mapping[str, str]) -> Client:
    """One client and one TLS context for all targets."""
    tls = ssl.create_default_context(cafile=env.get("SSL_CERT_FILE") or certifi.where())
    tls.set_alpn_protocols(["http/1.1"])
    return Client(tls, IDLE_CONNECTION_SECONDS)
