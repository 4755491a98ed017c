"""Builds the gateway from its settings. The only module that makes a client."""

import ssl
from collections.abc import Mapping
from functools import partial
from typing import Any

import botocore.session
import certifi
from botocore.config import Config

from antiphon.auth import Auth
from antiphon.idempotency import Idempotency
from antiphon.indexing import Rollup
from antiphon.ledger import Ledger, Stores
from antiphon.limits import Admission
from antiphon.ownership import Ownership
from antiphon.pricing import Bill, Prices, listed
from antiphon.relay import Means, Relay
from antiphon.relay.breaker import Breaker
from antiphon.relay.credentials import Credentials
from antiphon.relay.entra import EntraTokens
from antiphon.relay.exchange import Exchange
from antiphon.relay.transport import Client
from antiphon.routes import conversations, docs, health, listing, models, responses, usage
from antiphon.routes.conversations import Conversations
from antiphon.routes.door import Door
from antiphon.routes.listing import Lists
from antiphon.routes.models import Models
from antiphon.routes.responses import Responses
from antiphon.routes.traffic import Receiver
from antiphon.routing import Router
from antiphon.settings import Settings
from antiphon.settling import Inbox, Settling
from antiphon.store.batch import Batch
from antiphon.store.circuits import Circuits
from antiphon.store.counting import UsageRollup
from antiphon.store.durable import DurableLinks
from antiphon.store.idempotency import Claims
from antiphon.store.identity import WebIdentity
from antiphon.store.items import Items
from antiphon.store.keys import Keys
from antiphon.store.links import Links
from antiphon.store.listing import Listing
from antiphon.store.metadata import MetadataIndex
from antiphon.store.queue import Queue
from antiphon.store.secrets import Secrets
from antiphon.store.table import Table
from antiphon.store.usage import Usage

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
        self.batch = Batch(dynamodb, settings.table_name)
        self.circuits = Circuits(self.table)
        self.queue = Queue(partial(client, "sqs"), settings.queue_url)
        self.client, self.secret_prefix = client, settings.secret_prefix


class _Calls:
    """What goes to a provider, and what is written down of it."""

    def __init__(self, parts: _Parts, env: Mapping[str, str]) -> None:
        links, items = DurableLinks(parts.table, parts.queue), Items(parts.batch)
        client = provider_client(env)
        # Made while the function starts, when Lambda gives it a whole processor.
        secrets = Secrets(parts.client("secretsmanager"), parts.secret_prefix)
        identity = WebIdentity(partial(parts.client, "sts"))
        kept = parts.gateway
        means = Means(
            Exchange(client, kept),
            Credentials(parts.targets, secrets, EntraTokens(client, secrets, identity.token)),
            Breaker(parts.circuits, kept.circuit_failures, kept.circuit_seconds),
            kept.read_after_write_seconds,
        )
        self.ownership = Ownership(links, items)
        self.routing = Router(parts.targets, self.ownership)
        self.relay = Relay(means)
        stores = Stores(links, items, kept.links_days, kept.conversation_days)
        self.admission = Admission.over(parts.table, parts.prices, parts.config)
        self.ledger = Ledger(stores, self.admission)


def api(env: Mapping[str, str]) -> Door:
    """The HTTP API."""
    parts = _Parts(env)
    calls = _Calls(parts, env)
    auth = Auth(Keys(parts.batch, parts.circuits), parts.gateway.key_cache_seconds)
    receive = Receiver(parts.gateway.max_body_bytes)
    lists = Listing(parts.table, parts.batch, parts.gateway.metadata_index)
    made = (auth, calls.ownership, calls.routing, calls.relay, calls.ledger)
    once = Idempotency(Claims(parts.table), *made[1:])
    return Door(
        api=[
            responses.router(Responses(*made, calls.admission, once), receive),
            conversations.router(Conversations(*made), receive),
            listing.router(Lists(auth, calls.ownership, lists), receive),
            models.router(Models(auth, calls.routing, calls.relay), receive),
            usage.router(usage.Usage(auth, Usage(parts.table)), receive),
        ],
        open_to_all=[health.router(), docs.router()],
    )


def settle(env: Mapping[str, str]) -> Inbox:
    """What works on the queue."""
    parts = _Parts(env)
    calls = _Calls(parts, env)
    return Inbox(
        Settling(
            links=Links(parts.table),
            queue=parts.queue,
            routing=calls.routing,
            relay=calls.relay,
            ledger=calls.ledger,
            admission=calls.admission,
            patience=parts.gateway.settle_hours * 3600,
        )
    )


def rollup(env: Mapping[str, str]) -> Rollup:
    """The follower of the table's stream."""
    parts = _Parts(env)
    index = MetadataIndex(parts.table, parts.batch, parts.gateway.metadata_index)
    listed.load()  # while Lambda gives the start a whole processor
    sums = UsageRollup(parts.table, Bill(parts.prices, parts.targets))
    return Rollup([index.follow, sums.follow])


def provider_client(env: Mapping[str, str]) -> Client:
    """One client and one TLS context for all targets."""
    tls = ssl.create_default_context(cafile=env.get("SSL_CERT_FILE") or certifi.where())
    tls.set_alpn_protocols(["http/1.1"])
    return Client(tls, IDLE_CONNECTION_SECONDS)
