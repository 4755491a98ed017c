"""What handles follow-up messages, over AWS in this process and a scripted provider."""

import time

from antiphon.ledger import Ledger, Stores
from antiphon.ownership import Ownership
from antiphon.relay import Means, Relay
from antiphon.relay.breaker import Breaker
from antiphon.relay.credentials import Credentials
from antiphon.relay.entra import EntraTokens
from antiphon.relay.exchange import Exchange
from antiphon.relay.transport import Client
from antiphon.routing import Router
from antiphon.settings.config import Gateway
from antiphon.settings.targets import OpenAITarget
from antiphon.settling import Settling
from antiphon.store.batch import Batch
from antiphon.store.circuits import Circuits
from antiphon.store.durable import DurableLinks
from antiphon.store.items import Items
from antiphon.store.links import Link, Links
from antiphon.store.queue import Follow, Row
from antiphon.store.secrets import Secrets
from infra.local.things import TABLE
from tests.support.aws import FakeAws
from tests.support.limits import make_admission

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


def make_follow_up(cloud: FakeAws, provider: str, client: Client) -> Settling:
    """With one target, `openai`, at the provider's address."""
    cloud.secrets.create_secret(Name="test/openai", SecretString="credential")
    target = OpenAITarget(provider="openai", base_url=f"{provider}/v1", models=["*"])
    items = Items(Batch(cloud.dynamodb, TABLE))
    links = DurableLinks(cloud.table, cloud.queue)
    admits = make_admission(cloud.table)
    return Settling(
        links=Links(cloud.table),
        queue=cloud.queue,
        routing=Router({"openai": target}, Ownership(links, items)),
        relay=make_upstream(cloud, client),
        ledger=Ledger(Stores(links, items, 30, 3650), admits),
        admission=admits,
        patience=24 * HOUR,
    )


def make_upstream(cloud: FakeAws, client: Client) -> Relay:
    limits, secrets = Gateway(), Secrets(cloud.secrets, "test")
    return Relay(
        Means(
            Exchange(client, limits),
            Credentials({}, secrets, EntraTokens(client, secrets, str)),
            Breaker(Circuits(cloud.table), limits.circuit_failures, limits.circuit_seconds),
            limits.read_after_write_seconds,
        )
    )


def run_follow_up(settling: Settling, message: Follow | Row, seconds: float = 60) -> None:
    settling.settle(message, time.monotonic() + seconds)
