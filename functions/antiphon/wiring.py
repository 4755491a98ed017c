"""Builds what serves requests and what settles them later, from `foundation`."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING

from aws_lambda_powertools.event_handler.api_gateway import Router

from antiphon.api.batches import Batches, batches_router
from antiphon.api.console import console_router, no_console_router
from antiphon.api.conversations import Conversations, conversations_router
from antiphon.api.cors import Cors
from antiphon.api.docs import docs_router, health_router, no_docs_router
from antiphon.api.handler import ApiHandler, Door
from antiphon.api.limits import LimitsEndpoint, limits_router
from antiphon.api.listing import Listings, listing_router
from antiphon.api.models import Models, models_router
from antiphon.api.resource_lists import ResourceLists, lists_router
from antiphon.api.resource_members import ResourceMembers
from antiphon.api.resources import Resources, resources_router
from antiphon.api.responses import Responses, responses_router
from antiphon.api.usage import UsageEndpoint, usage_router
from antiphon.api.webhook_paths import no_webhooks, webhooks_router
from antiphon.auth import Auth, Caller, KeyStore
from antiphon.follow_up import FollowUp, SqsHandler
from antiphon.foundation import IDLE_CONNECTION_SECONDS, Foundation, build_transport
from antiphon.http import Request
from antiphon.http_events import RequestReader
from antiphon.idempotency.guard import Idempotency
from antiphon.limits.admission import Admission, Gate
from antiphon.limits.storage import StorageLimits
from antiphon.ownership import Ownership
from antiphon.policies.policies import Policies
from antiphon.recording.discarding import Discarding
from antiphon.recording.recorder import ResponseRecorder
from antiphon.recording.resources import ResourceRecorder
from antiphon.recording.tracker import DurableLinks, Stores
from antiphon.resource_routing import ResourceRouting
from antiphon.routing import Routing
from antiphon.schema.create import RequestBody
from antiphon.settings.targets import BedrockTarget
from antiphon.store.idempotency import IdempotencyRecords
from antiphon.store.items import Items
from antiphon.store.keys import ApiKeys
from antiphon.store.listings import LinkListing
from antiphon.store.references import References
from antiphon.store.secrets import ProviderSecrets
from antiphon.store.storage import StorageRows
from antiphon.store.usage import UsageSums
from antiphon.store.web_identity import WebIdentity
from antiphon.upstream.circuit_breaker import CircuitBreaker
from antiphon.upstream.client import UpstreamClient
from antiphon.upstream.credentials import NO_SIGNERS, Credentials, token_fetches
from antiphon.upstream.documents import DocumentReader
from antiphon.upstream.entra import EntraTokens
from antiphon.upstream.exchange import Exchange
from antiphon.upstream.openai_tokens import OpenAITokens
from antiphon.upstream.tokens import TokenCache
from antiphon.upstream.transport import LlhttpTransport

if TYPE_CHECKING:
    from antiphon.store.request_signing import RequestSigner
    from antiphon.webhook_wiring import WebhookWiring


class _Core:
    """What sends requests to providers and records their responses."""

    def __init__(self, foundation: Foundation, env: Mapping[str, str]) -> None:
        gateway, items = foundation.gateway, Items(foundation.batch)
        shared = foundation.config.shared_objects()
        references = References(foundation.batch)
        self.ownership = Ownership(foundation.links, items, references, shared)
        self.policies = Policies.from_config(foundation.config)
        self.routing = Routing(foundation.targets, self.ownership, self.policies)
        self.upstream = _upstream_client(foundation, env)
        self.admission = Admission.from_config(
            foundation.table, foundation.queue, foundation.prices, foundation.config
        )
        durable = DurableLinks(foundation.links, foundation.queue)
        days, conversation_days = gateway.links_days, gateway.conversation_days
        has_spans = foundation.config.telemetry.otlp_endpoint is not None
        stores = Stores(durable, items, days, conversation_days, shared.keys(), has_spans)
        discarding = Discarding(self.routing, self.upstream)
        self.recorder = ResponseRecorder(stores, discarding, self.admission)
        self.resource_recorder = ResourceRecorder(stores, self.recorder.put_new)


def api(env: Mapping[str, str]) -> Door:
    """Build the HTTP API."""
    foundation = Foundation(env)
    core = _Core(foundation, env)
    keys = ApiKeys(foundation.table, foundation.circuits)
    tokens = _token_verifier(foundation, env)
    policies = foundation.config.policies
    auth = Auth(keys, foundation.gateway.key_cache_seconds, tokens=tokens, policies=policies)
    gate = Gate(auth, core.admission)
    gateway = foundation.gateway
    reader = RequestReader(gateway.max_body_bytes, gateway.rest_answer_seconds)
    links = LinkListing(foundation.table, foundation.batch, foundation.gateway.metadata_index)
    storage = StorageRows(foundation.table)
    shared = (core.ownership, core.routing, core.upstream, core.recorder)
    idempotency = Idempotency(IdempotencyRecords(foundation.table, foundation.queue), *shared)
    config = foundation.config
    check_content = _content_check(foundation)
    of_resources = (
        gate,
        core.ownership,
        ResourceRouting(config, core.routing, core.ownership),
        core.upstream,
        core.resource_recorder,
        idempotency,
    )
    storage_limits = StorageLimits.from_config(foundation.table, config)
    batches = Batches(
        *of_resources,
        config.targets,
        config.tenants,
        config.gateway.max_body_bytes,
        config.batches.enabled,
        core.policies,
    )
    limits = LimitsEndpoint(gate, foundation.table, config.tenants, gateway.max_body_bytes)
    responses = Responses(gate, *shared, core.admission, idempotency, check_content, core.policies)
    webhooks = _webhook_wiring(foundation, env)
    members = ResourceMembers(core.routing, core.upstream, core.resource_recorder)
    handler = ApiHandler(
        routers=[
            responses_router(responses, reader),
            conversations_router(
                Conversations(gate, *shared, check_content, core.policies), reader
            ),
            listing_router(Listings(gate, core.ownership, links, core.admission.costs), reader),
            resources_router(Resources(*of_resources, storage_limits), reader),
            batches_router(batches, reader),
            lists_router(ResourceLists(gate, foundation.links, links, members), reader),
            models_router(Models(gate, core.routing, core.upstream), reader),
            usage_router(UsageEndpoint(gate, UsageSums(foundation.table), storage), reader),
            limits_router(limits, reader),
            webhooks_router(
                no_webhooks(gate) if webhooks is None else webhooks.calls(gate), reader
            ),
        ],
        public_routers=[health_router(), *_page_routers(env), *_webhook_routers(foundation)],
        times=(foundation.table_time, foundation.queue_time),
    )
    return Door(handler, Cors(frozenset(gateway.cors_origins)))


def _token_verifier(foundation: Foundation, env: Mapping[str, str]) -> KeyStore | None:
    """Build what verifies tokens of callers, if their issuer is configured."""
    settings = foundation.config.auth.jwt
    if settings is None:
        return None
    # Its libraries take time to import, and only an asset with this setting contains them.
    from antiphon.oidc import Tokens  # noqa: PLC0415

    transport = build_transport(foundation.tls, foundation.gateway.proxy, env)
    fetch, refresh = DocumentReader(transport).get, foundation.circuits.refresh
    return Tokens(settings, fetch, on_valid=refresh)


def _content_check(
    foundation: Foundation,
) -> Callable[[RequestBody, Caller, Request], None] | None:
    """Build what asks the guardrail, if one is configured."""
    settings, aws = foundation.config.guardrail, foundation.aws
    if not settings.is_on:
        return None
    from antiphon.guardrail import Guardrail  # noqa: PLC0415  most gateways have none
    from antiphon.store.guardrails import (  # noqa: PLC0415
        BedrockGuardrail,
        FunctionGuardrail,
    )

    seconds, refuses = settings.timeout_seconds, settings.on_error == "refuse"
    if settings.function is not None:
        return Guardrail(FunctionGuardrail(aws, settings.function, seconds), refuses).check
    if settings.bedrock is not None:
        return Guardrail(BedrockGuardrail(aws, settings.bedrock, seconds), refuses).check
    return None


def _webhook_wiring(foundation: Foundation, env: Mapping[str, str]) -> "WebhookWiring | None":
    settings, secrets = foundation.config.webhooks, foundation.secrets_manager
    if settings is None:
        return None
    from antiphon.webhook_wiring import WebhookWiring  # noqa: PLC0415  most gateways have none

    transport = partial(LlhttpTransport, foundation.tls, IDLE_CONNECTION_SECONDS)
    return WebhookWiring(settings, foundation.table, foundation.queue, secrets, transport, env)


def _page_routers(env: Mapping[str, str]) -> list[Router]:
    if env.get("SERVE_DOCS") == "false":
        return [no_docs_router(), no_console_router()]
    # `sam local` sends what is no text as Base64.
    compresses = env.get("AWS_SAM_LOCAL") != "true"
    return [docs_router(compresses=compresses), console_router(compresses=compresses)]


def _webhook_routers(foundation: Foundation) -> list[Router]:
    """Build where providers report ends, if one does."""
    targets = foundation.config.webhook_targets()
    if not targets:
        return []
    from antiphon.api import provider_webhooks  # noqa: PLC0415  few gateways need it

    secrets = ProviderSecrets(foundation.secrets_manager(), foundation.secrets)
    return [provider_webhooks.build(secrets, foundation.ids, foundation.queue, targets)]


def settle(env: Mapping[str, str]) -> SqsHandler:
    """Build what works on the queue."""
    foundation = Foundation(env)
    core = _Core(foundation, env)
    webhooks = _webhook_wiring(foundation, env)
    return SqsHandler(
        FollowUp(
            table=foundation.table,
            links=foundation.links,
            queue=foundation.queue,
            routing=core.routing,
            upstream=core.upstream,
            recorder=core.recorder,
            resources=core.resource_recorder,
            admission=core.admission,
            max_age=foundation.gateway.settle_hours * 3600,
            bus=foundation.event_bus(),
            webhooks=None if webhooks is None else webhooks.delivery(),
        ),
        times=(foundation.table_time, foundation.queue_time),
    )


def _upstream_client(foundation: Foundation, env: Mapping[str, str]) -> UpstreamClient:
    gateway = foundation.gateway
    transport = build_transport(foundation.tls, gateway.proxy, env)
    secrets = ProviderSecrets(foundation.secrets_manager(), foundation.secrets)
    identity = WebIdentity(partial(foundation.aws.create_client, "sts"))
    entra = EntraTokens(transport, secrets, identity.token)
    openai = OpenAITokens(transport, identity.token)
    tokens = TokenCache(token_fetches(foundation.targets, entra, openai))
    signers = _request_signers(foundation)
    return UpstreamClient(
        Exchange(transport, gateway, signers),
        Credentials(secrets, tokens, signers),
        CircuitBreaker(foundation.circuits, gateway.circuit_failures, gateway.circuit_seconds),
        gateway.read_after_write_seconds,
    )


def _request_signers(foundation: Foundation) -> Mapping[str, "RequestSigner"]:
    """Build what signs the requests to each target of Amazon Bedrock."""
    found = {n: t for n, t in foundation.targets.items() if isinstance(t, BedrockTarget)}
    if not found:
        return NO_SIGNERS
    from antiphon.store.request_signing import build_signers  # noqa: PLC0415  not at each start

    return build_signers(found, foundation.aws.access)
