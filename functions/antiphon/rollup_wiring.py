"""Builds what follows the table's stream; the API starts without it."""

from collections.abc import Mapping
from functools import partial

from antiphon.foundation import Foundation, build_transport
from antiphon.pricing import CostEstimator, load_price_list
from antiphon.rollup.announcing import Announcer
from antiphon.rollup.counting import LinkCounter
from antiphon.rollup.handler import StreamHandler
from antiphon.rollup.spans import SpanBuffer, encode_attributes
from antiphon.rollup.storage import StorageRollup
from antiphon.rollup.usage import UsageRollup
from antiphon.store.listings import MetadataIndex
from antiphon.store.secrets import ParsedSecret, SecretHeaders, parse_headers
from antiphon.store.storage import StorageRows
from antiphon.store.webhook_endpoints import WebhookEndpoints
from antiphon.upstream.otlp import SpanExporter


def rollup(env: Mapping[str, str]) -> StreamHandler:
    """Build what follows the table's stream."""
    foundation = Foundation(env)
    keys = foundation.gateway.metadata_index
    index = MetadataIndex(foundation.table, foundation.batch, keys)
    load_price_list()  # at the start, when Lambda gives a whole processor
    costs = CostEstimator(foundation.prices, foundation.targets)
    sums = (UsageRollup(costs.cost), StorageRollup(StorageRows(foundation.table)))
    spans = _span_buffer(foundation, env)
    counters = [LinkCounter(foundation.table, each, spans.add) for each in sums]
    queue, bus = foundation.queue, foundation.event_bus()
    endpoints = _webhook_endpoints(foundation)
    announcer = Announcer(foundation.links, foundation.table, queue, costs.cost, bus, endpoints)
    listeners = [index.apply, *(each.apply for each in counters), announcer.apply]
    return StreamHandler(listeners, queue, spans.flush, announcer.flush, foundation.reporting)


def _webhook_endpoints(foundation: Foundation) -> WebhookEndpoints | None:
    settings = foundation.config.webhooks
    return None if settings is None else WebhookEndpoints(foundation.table, settings.max_endpoints)


def _span_buffer(foundation: Foundation, env: Mapping[str, str]) -> SpanBuffer:
    """Build what exports a span of each counted response, if a collector is configured."""
    telemetry = foundation.config.telemetry
    if telemetry.otlp_endpoint is None:
        return SpanBuffer(foundation.targets)
    names = {"service.name": telemetry.service_name, "deployment.environment.name": env["STAGE"]}
    headers = partial(dict[str, str], telemetry.headers)
    if telemetry.headers_secret is not None:
        secret = ParsedSecret(foundation.secrets_manager(), telemetry.headers_secret, parse_headers)
        headers = partial(_merge_headers, telemetry.headers, secret)
    transport = build_transport(foundation.tls, foundation.gateway.proxy, env)
    resource = encode_attributes(names)
    exporter = SpanExporter(transport, telemetry.otlp_endpoint, resource, headers)
    return SpanBuffer(foundation.targets, exporter)


def _merge_headers(public: Mapping[str, str], secret: SecretHeaders) -> dict[str, str]:
    return {**public, **secret.get()}
