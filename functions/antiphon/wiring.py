"""Builds the gateway from its settings. The only module that makes a client."""

import ssl
from collections.abc import Mapping
from functools import partial
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any

import botocore.session
import certifi
import httpx
from botocore.config import Config

from antiphon.auth import Auth
from antiphon.indexing import Rollup
from antiphon.ledger import Ledger, Stores
from antiphon.ownership import Ownership
from antiphon.relay import Relay
from antiphon.routes import conversations, docs, health, listing, models, responses
from antiphon.routes.conversations import Conversations
from antiphon.routes.door import Door
from antiphon.routes.listing import Lists
from antiphon.routes.models import Models
from antiphon.routes.responses import Responses
from antiphon.routes.traffic import Receiver
from antiphon.routing import Router
from antiphon.settings import Settings
from antiphon.store.batch import Batch
from antiphon.store.items import Items
from antiphon.store.keys import Keys
from antiphon.store.links import Links
from antiphon.store.listing import Listing
from antiphon.store.metadata import MetadataIndex
from antiphon.store.secrets import Secrets
from antiphon.store.table import Table

# botocore waits 60 s and tries up to 10 times by itself; a caller waits for neither.
AWS = Config(
    connect_timeout=1, read_timeout=2, retries={"mode": "standard", "total_max_attempts": 2}
)
IDLE_CONNECTION_SECONDS = 20.0  # older ones may have been forgotten by what lies between


def api(env: Mapping[str, str]) -> Door:
    """The HTTP API; raise ConfigError or KeyError where the environment is not complete."""
    settings = Settings.from_env(env)
    gateway = settings.config.gateway
    session = botocore.session.get_session()  # boto3 would add nothing but time to the start

    def client(service: str) -> Any:
        return session.create_client(service, config=AWS)

    dynamodb = client("dynamodb")
    table = Table(dynamodb, settings.table_name)
    batch = Batch(dynamodb, settings.table_name)
    links, items = Links(table), Items(batch)
    ownership = Ownership(links, items)
    auth = Auth(Keys(table), gateway.key_cache_seconds)
    routing = Router(settings.config.targets, ownership)
    secrets = Secrets(partial(client, "secretsmanager"), settings.secret_prefix)
    relay = Relay(provider_client(env, gateway.connect_seconds), secrets, gateway)
    ledger = Ledger(Stores(links, items, gateway.links_days))
    receive = Receiver(gateway.max_body_bytes)
    lists = Listing(table, batch, gateway.metadata_index)
    made = (auth, ownership, routing, relay, ledger)
    return Door(
        api=[
            responses.router(Responses(*made), receive),
            conversations.router(Conversations(*made), receive),
            listing.router(Lists(auth, ownership, lists), receive),
            models.router(Models(auth, routing, relay), receive),
        ],
        open_to_all=[health.router(), docs.router()],
    )


def rollup(env: Mapping[str, str]) -> Rollup:
    """The follower of the table's stream."""
    settings = Settings.from_env(env)
    dynamodb: Any = botocore.session.get_session().create_client("dynamodb", config=AWS)
    table, batch = Table(dynamodb, settings.table_name), Batch(dynamodb, settings.table_name)
    index = MetadataIndex(table, batch, settings.config.gateway.metadata_index)
    return Rollup([index.follow])


def provider_client(env: Mapping[str, str], connect_seconds: float) -> httpx.Client:
    """One client and one TLS context for all targets, without proxies of the environment."""
    tls = ssl.create_default_context(cafile=env.get("SSL_CERT_FILE") or certifi.where())
    limits = httpx.Limits(keepalive_expiry=IDLE_CONNECTION_SECONDS)
    # One more try to connect, when certainly nothing was sent; never one to send.
    transport = httpx.HTTPTransport(verify=tls, limits=limits, retries=1)
    timeout = httpx.Timeout(30, connect=connect_seconds)
    # A jar that takes nothing: a provider's cookie would go out again with another caller's call.
    cookies = CookieJar(DefaultCookiePolicy(allowed_domains=()))
    return httpx.Client(transport=transport, timeout=timeout, cookies=cookies, trust_env=False)
