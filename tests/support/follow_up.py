"""What handles follow-up messages, over AWS in this process and a scripted provider."""

import time

import httpx

from antiphon.follow_up import FollowUp
from antiphon.ownership import Ownership
from antiphon.recording.discarding import Discarding
from antiphon.recording.recorder import ResponseRecorder
from antiphon.recording.resources import ResourceRecorder
from antiphon.recording.tracker import DurableLinks, Stores
from antiphon.routing import Routing
from antiphon.settings.config import Gateway
from antiphon.settings.targets import OpenAITarget
from antiphon.store.circuits import Circuits
from antiphon.store.dynamodb import BatchTable
from antiphon.store.items import Items
from antiphon.store.links import Link, Links
from antiphon.store.queue import Message, PollResponse
from antiphon.store.references import References
from antiphon.store.secrets import ProviderSecrets
from antiphon.upstream.circuit_breaker import CircuitBreaker
from antiphon.upstream.client import UpstreamClient
from antiphon.upstream.credentials import Credentials
from antiphon.upstream.exchange import Exchange
from antiphon.upstream.tokens import TokenCache
from infra.local.aws.resources import TABLE
from tests.support.aws import TEST_SECRETS, FakeAws
from tests.support.limits import make_admission
from tests.support.upstream import Over

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


def make_follow_up(cloud: FakeAws, provider: str, transport: httpx.BaseTransport) -> FollowUp:
    """With one target, `openai`, at the provider's address."""
    cloud.secrets.create_secret(Name="test/openai", SecretString="credential")
    target = OpenAITarget(provider="openai", base_url=f"{provider}/v1", models=["*"])
    items = Items(BatchTable(cloud.dynamodb, TABLE))
    links = Links(cloud.table)
    durable = DurableLinks(links, cloud.queue)
    admits = make_admission(cloud.table, queue=cloud.queue)
    routing = Routing({"openai": target}, Ownership(links, items, References(items.batch)))
    upstream = make_upstream(cloud, transport)
    stores = Stores(durable, items, 30, 3650)
    recorder = ResponseRecorder(stores, Discarding(routing, upstream), admits)
    return FollowUp(
        table=cloud.table,
        links=links,
        queue=cloud.queue,
        routing=routing,
        upstream=upstream,
        recorder=recorder,
        resources=ResourceRecorder(stores, recorder.put_new),
        admission=admits,
        max_age=24 * HOUR,
    )


def make_upstream(cloud: FakeAws, transport: httpx.BaseTransport) -> UpstreamClient:
    limits, secrets = Gateway(), ProviderSecrets(cloud.secrets, TEST_SECRETS)
    return UpstreamClient(
        Exchange(Over(transport), limits),
        Credentials(secrets, TokenCache({})),
        CircuitBreaker(Circuits(cloud.table), limits.circuit_failures, limits.circuit_seconds),
        limits.read_after_write_seconds,
    )


def run_follow_up(follow_up: FollowUp, message: Message, seconds: float = 60) -> None:
    follow_up.handle(message, time.monotonic() + seconds)
