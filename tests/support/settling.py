"""What settles, over AWS in this process and a provider that is scripted."""

import time

import httpx

from antiphon.ledger import Ledger, Stores
from antiphon.ownership import Ownership
from antiphon.relay import Relay
from antiphon.routing import Router
from antiphon.settings.config import Gateway
from antiphon.settings.targets import OpenAITarget
from antiphon.settling import Settling
from antiphon.store.batch import Batch
from antiphon.store.durable import DurableLinks
from antiphon.store.items import Items
from antiphon.store.links import Link, Links
from antiphon.store.queue import Follow, Row
from antiphon.store.secrets import Secrets
from infra.local.things import TABLE
from tests.support.aws import Cloud

HOUR = 3600
NOW = int(time.time())
LINK = Link(
    id="resp_1",
    tenant="acme",
    key_id="key_1",
    request_id="r-1",
    target="openai",
    root="resp_1",
    status="queued",
    created_ms=NOW * 1000,
    expires_at=NOW + HOUR,
    background=True,
)
FOLLOW = Follow("acme", "resp_1", since=NOW)
USAGE = {"input_tokens": 3, "output_tokens": 4, "total_tokens": 7}


def over(cloud: Cloud, provider: str, client: httpx.Client) -> Settling:
    """One target, `openai`, at the provider's address."""
    cloud.secrets.create_secret(Name="test/openai", SecretString="credential")
    target = OpenAITarget(provider="openai", base_url=f"{provider}/v1", models=["*"])
    items = Items(Batch(cloud.dynamodb, TABLE))
    links = DurableLinks(cloud.table, cloud.queue)
    return Settling(
        links=Links(cloud.table),
        queue=cloud.queue,
        routing=Router({"openai": target}, Ownership(links, items)),
        relay=Relay(client, Secrets(cloud.secrets, "test"), Gateway()),
        ledger=Ledger(Stores(links, items, 30, 3650)),
        patience=24 * HOUR,
    )


def settle(settling: Settling, message: Follow | Row, seconds: float = 60) -> None:
    settling.settle(message, time.monotonic() + seconds)
