"""Builds what webhooks need, from the clients of foundation; loaded where there may be any."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from antiphon.api.webhooks import Webhooks
from antiphon.http_events import Endpoint
from antiphon.limits.admission import Gate
from antiphon.schema.public_addresses import is_loopback, is_public
from antiphon.settings.config import Webhooks as WebhookSettings
from antiphon.store.dynamodb import Table
from antiphon.store.queue import Queue
from antiphon.store.webhook_deliveries import WebhookDeliveries
from antiphon.store.webhook_endpoints import WebhookEndpoints
from antiphon.store.webhook_secrets import SigningSecrets
from antiphon.upstream.transport import LlhttpTransport
from antiphon.upstream.webhook_sender import WebhookSender
from antiphon.webhook_delivery import WebhookDelivery

if TYPE_CHECKING:
    from antiphon.store.aws_api import SecretsManager


@dataclass(frozen=True)
class WebhookWiring:
    settings: WebhookSettings
    table: Table
    queue: Queue
    secrets: "Callable[[], SecretsManager]"
    transport: Callable[..., LlhttpTransport]  # without a proxy, which would resolve names itself
    env: Mapping[str, str]

    def endpoints(self) -> WebhookEndpoints:
        return WebhookEndpoints(self.table, self.settings.max_endpoints)

    def delivery(self) -> WebhookDelivery:
        """Raise KeyError where the environment names no secret."""
        transport = self.transport(is_allowed=self._is_allowed)
        return WebhookDelivery(
            self.endpoints(),
            WebhookDeliveries(self.table),
            SigningSecrets(self.secrets(), self.env["WEBHOOK_SECRET"]),
            WebhookSender(transport.exchange, self.settings.timeout_seconds),
            self.queue,
            self.settings.retry_hours * 3600,
        )

    def calls(self, gate: Gate) -> Mapping[str, Endpoint]:
        """Return what serves each call about webhooks."""
        return Webhooks(gate, self.delivery(), allows_loopback=self._allows_loopback).endpoints()

    @property
    def _allows_loopback(self) -> bool:
        """Whether webhooks may go to this machine, by plain http, too: `antiphon local` says so."""
        return self.env.get("WEBHOOK_LOOPBACK") == "true"

    def _is_allowed(self, address: str) -> bool:
        return is_public(address) or (self._allows_loopback and is_loopback(address))
