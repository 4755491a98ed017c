"""/webhook_endpoints: where a tenant has events sent, as OpenAI's API has it.

The endpoints belong to the tenant of the key. An id of another tenant, an unknown and a malformed
one get the same 404.
"""

import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from pydantic import BaseModel

from antiphon.errors import NotFound, WebhookNotDelivered
from antiphon.http import Reply, Request
from antiphon.http_events import Endpoint
from antiphon.limits.admission import Gate
from antiphon.schema.webhooks import (
    EVENT_TYPES,
    CreateWebhookEndpoint,
    DeletedWebhookEndpoint,
    RotateWebhookSecret,
    TestWebhookEndpoint,
    UpdateWebhookEndpoint,
    WebhookDeliveryList,
    WebhookDeliveryObject,
    WebhookEndpointList,
    WebhookEndpointObject,
    WebhookEndpointWithSecret,
    WebhookEventTypeList,
    WebhooksQuery,
    WebhookTestResult,
    check_url,
)
from antiphon.store.queue import WebhookEvent
from antiphon.store.webhook_deliveries import Delivery
from antiphon.store.webhook_endpoints import WebhookEndpoint
from antiphon.store.webhook_secrets import secret_hint, secret_text
from antiphon.webhook_delivery import WebhookDelivery, state_after

HEADERS = {"content-type": "application/json", "cache-control": "no-store"}
OLD_SECRET_SECONDS = 86_400
NOT_FOUND = "Webhook endpoint with id '{}' not found."
CHANGEABLE = ("name", "url", "event_types")


@dataclass(frozen=True)
class Webhooks:
    gate: Gate
    delivery: WebhookDelivery
    allows_loopback: bool  # receivers on this machine, by plain http, too
    clock: Callable[[], float] = time.time

    def endpoints(self) -> Mapping[str, Endpoint]:
        """Return the endpoint of each call."""
        return {
            "create": self.create,
            "list_own": self.list_own,
            "retrieve": self.retrieve,
            "update": self.update,
            "delete": self.delete,
            "rotate_secret": self.rotate_secret,
            "test": self.test,
            "list_deliveries": self.list_deliveries,
            "list_event_types": self.list_event_types,
        }

    def create(self, request: Request) -> Reply:
        tenant = self.gate.admit(request).tenant
        body = CreateWebhookEndpoint.parse(request.body)
        check_url(body.url, allows_loopback=self.allows_loopback)
        id, now = f"wh_{uuid.uuid4().hex}", int(self.clock())
        key = self.delivery.keys.key(tenant, id, 1)
        endpoint = WebhookEndpoint(
            id=id,
            name=body.name,
            url=body.url,
            event_types=_distinct(body.event_types),
            created_at=now,
            updated_at=now,
            signing_secret_hint=secret_hint(key),
        )
        self.delivery.endpoints.add(tenant, endpoint)
        return _with_secret(endpoint, key)

    def list_own(self, request: Request) -> Reply:
        tenant = self.gate.admit(request).tenant
        query = WebhooksQuery.parse(request.query)
        endpoints = self.delivery.endpoints.read(tenant)
        start = 0 if query.after is None else _position(endpoints, query.after) + 1
        page = endpoints[start : start + query.limit]
        data = [WebhookEndpointObject.model_validate(each) for each in page]
        ends = {"first_id": data[0].id, "last_id": data[-1].id} if data else _NO_ENDS
        has_more = len(endpoints) > start + query.limit
        return _reply(WebhookEndpointList(data=data, has_more=has_more, **ends))

    def retrieve(self, request: Request, id: str) -> Reply:
        _, endpoint = self._own(request, id)
        return _reply(WebhookEndpointObject.model_validate(endpoint))

    def update(self, request: Request, id: str) -> Reply:
        tenant = self.gate.admit(request).tenant
        body = UpdateWebhookEndpoint.parse(request.body)
        if body.url is not None:
            check_url(body.url, allows_loopback=self.allows_loopback)
        changes = {name: getattr(body, name) for name in CHANGEABLE}
        if body.event_types is not None:
            changes["event_types"] = _distinct(body.event_types)
        given = {name: value for name, value in changes.items() if value is not None}
        return _reply(
            WebhookEndpointObject.model_validate(
                self._change(tenant, id, lambda endpoint: self._updated(endpoint, given))
            )
        )

    def delete(self, request: Request, id: str) -> Reply:
        tenant, endpoint = self._own(request, id)
        self.delivery.endpoints.remove(tenant, endpoint.id)
        return _reply(DeletedWebhookEndpoint(id=endpoint.id))

    def rotate_secret(self, request: Request, id: str) -> Reply:
        tenant = self.gate.admit(request).tenant
        body = RotateWebhookSecret.parse(request.body or b"{}")
        keeps_old, now = bool(body.keep_old_secret_active_for_24_hours), int(self.clock())

        def rotate(endpoint: WebhookEndpoint) -> WebhookEndpoint:
            key = self.delivery.keys.key(tenant, id, endpoint.generation + 1)
            return replace(
                endpoint,
                generation=endpoint.generation + 1,
                old_secret_until=now + OLD_SECRET_SECONDS if keeps_old else None,
                signing_secret_hint=secret_hint(key),
                updated_at=now,
            )

        endpoint = self._change(tenant, id, rotate)
        return _with_secret(endpoint, self.delivery.keys.key(tenant, id, endpoint.generation))

    def test(self, request: Request, id: str) -> Reply:
        """Send an event that says nothing of a real response, once, and tell what is answered."""
        tenant, endpoint = self._own(request, id)
        body = TestWebhookEndpoint.parse(request.body)
        kind = body.event_type.partition(".")[0]
        object_id = {"response": "resp_test", "batch": "batch_test"}[kind]
        now = int(self.clock())
        event = WebhookEvent(f"evt_{uuid.uuid4().hex}", body.event_type, object_id, now)
        answer = self.delivery.send(tenant, endpoint, event, request.ends_at)
        state = state_after(answer, 1, now)
        self.delivery.deliveries.record(tenant, endpoint.id, event, state)
        if answer.status is None:
            raise WebhookNotDelivered(f"The endpoint did not answer: {answer.error}.")
        return _reply(
            WebhookTestResult(
                webhook_endpoint_id=endpoint.id,
                event_type=body.event_type,
                status_code=answer.status,
            )
        )

    def list_deliveries(self, request: Request, id: str) -> Reply:
        tenant, endpoint = self._own(request, id)
        query, deliveries = WebhooksQuery.parse(request.query), self.delivery.deliveries
        after = query.after
        if after is not None and not deliveries.exists(tenant, endpoint.id, after):
            raise NotFound(f"Webhook delivery with id '{after}' not found.", param="after")
        page = deliveries.read(tenant, endpoint.id, query.limit, after)
        data = [_to_object(each) for each in page.deliveries]
        ends = {"first_id": data[0].id, "last_id": data[-1].id} if data else _NO_ENDS
        return _reply(WebhookDeliveryList(data=data, has_more=page.has_more, **ends))

    def list_event_types(self, request: Request) -> Reply:
        self.gate.admit(request)
        return _reply(WebhookEventTypeList(data=[*EVENT_TYPES]))

    def _own(self, request: Request, id: str) -> tuple[str, WebhookEndpoint]:
        """Return the tenant and its own endpoint; raise NotFound for every other id."""
        tenant = self.gate.admit(request).tenant
        endpoint = self.delivery.endpoints.find(tenant, id)
        if endpoint is None:
            raise NotFound(NOT_FOUND.format(id))
        return tenant, endpoint

    def _change(
        self, tenant: str, id: str, change: Callable[[WebhookEndpoint], WebhookEndpoint]
    ) -> WebhookEndpoint:
        endpoint = self.delivery.endpoints.change(tenant, id, change)
        if endpoint is None:
            raise NotFound(NOT_FOUND.format(id))
        return endpoint

    def _updated(self, endpoint: WebhookEndpoint, given: Mapping[str, Any]) -> WebhookEndpoint:
        """Return the endpoint with what is given, and enabled; `updated_at` tells of a change."""
        changed = replace(endpoint, disabled_at=None, **given)
        is_same = changed == endpoint
        return endpoint if is_same else replace(changed, updated_at=int(self.clock()))


_NO_ENDS = {"first_id": None, "last_id": None}


def _position(endpoints: Sequence[WebhookEndpoint], id: str) -> int:
    ids = [each.id for each in endpoints]
    if id not in ids:
        raise NotFound(NOT_FOUND.format(id), param="after")
    return ids.index(id)


def _distinct(event_types: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(event_types))


def _with_secret(endpoint: WebhookEndpoint, key: bytes) -> Reply:
    values = WebhookEndpointObject.model_validate(endpoint).model_dump()
    return _reply(WebhookEndpointWithSecret(**values, signing_secret=secret_text(key)))


def _to_object(delivery: Delivery) -> WebhookDeliveryObject:
    event = delivery.event
    return WebhookDeliveryObject(
        id=delivery.id,
        event_id=event.id,
        event_type=event.type,
        object_id=event.object_id,
        created_at=event.created_at,
        **asdict(delivery.state),
    )


def _reply(answer: BaseModel) -> Reply:
    return Reply(200, HEADERS, answer.model_dump_json().encode())
