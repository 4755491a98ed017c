"""What handles follow-up messages, over AWS in this process and a scripted provider."""

import time

from antiphon.follow_up import FollowUp
from antiphon.ownership import Ownership
from antiphon.recording.recorder import ResponseRecorder
from antiphon.recording.tracker import Stores
from antiphon.relay.transport.client import Client
from antiphon.routing import Routing
from antiphon.settings.config import Gateway, OpenAITarget
from antiphon.store.circuits import Circuits
from antiphon.store.durable_links import DurableLinks
from antiphon.store.dynamodb import BatchTable
from antiphon.store.items import Items
from antiphon.store.links import Link, Links
from antiphon.store.queue import DeferredWrite, PollResponse
from antiphon.store.secrets import ProviderSecrets
from antiphon.upstream.circuit_breaker import CircuitBreaker
from antiphon.upstream.client import Means, UpstreamClient
from antiphon.upstream.credentials import Credentials
from antiphon.upstream.entra import EntraTokens
from antiphon.upstream.exchange import Exchange
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
FOLLOW = PollResponse("acme", "resp_1", since=NOW)
USAGE = {"input_tokens": 3, "output_tokens": 4, "total_tokens": 7}


def make_follow_up(cloud: FakeAws, provider: str, client: Client) -> FollowUp:
    """With one target, `openai`, at the provider's address."""
    cloud.secrets.create_secret(Name="test/openai", SecretString="credential")
    target = OpenAITarget(provider="openai", base_url=f"{provider}/v1", models=["*"])
    items = Items(BatchTable(cloud.dynamodb, TABLE))
    links = DurableLinks(cloud.table, cloud.queue)
    admits = make_admission(cloud.table)
    return FollowUp(
        links=Links(cloud.table),
        queue=cloud.queue,
        routing=Routing({"openai": target}, Ownership(links, items)),
        relay=make_upstream(cloud, client),
        ledger=ResponseRecorder(Stores(links, items, 30, 3650), admits),
        admission=admits,
        patience=24 * HOUR,
    )


def make_upstream(cloud: FakeAws, client: Client) -> UpstreamClient:
    limits, secrets = Gateway(), ProviderSecrets(cloud.secrets, "test")
    return UpstreamClient(
        Means(
            Exchange(client, limits),
            Credentials({}, secrets, EntraTokens(client, secrets, str)),
            CircuitBreaker(Circuits(cloud.table), limits.circuit_failures, limits.circuit_seconds),
            limits.read_after_write_seconds,
        )
    )


def run_follow_up(
    settling: FollowUp, message: PollResponse | DeferredWrite, seconds: float = 60
) -> None:
    settling.settle(message, time.monotonic() + seconds)
