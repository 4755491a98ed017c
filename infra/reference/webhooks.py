"""The endpoints of webhooks."""

from dataclasses import dataclass

from pydantic import BaseModel

from antiphon.schema import webhooks
from infra.reference import parameters
from infra.reference.examples import example, list_of
from infra.reference.operation import Body, Endpoint
from infra.reference.schemas import Schema

TAG = "Webhooks"
URL = "https://app.example.com/webhooks"
TYPES = ["response.completed", "response.failed"]
ID, EVENT = "wh_1f0c2b7de4a94d3c8a5f6b7c8d9e0f1a", "evt_5d2c1b7de4a94d3c8a5f6b7c8d9e0f1b"
DELIVERY: Schema = {
    "id": "whd_17800000005d2c1b7de4a94d3c8a5f6b7c8d9e0f1b",
    "object": "webhook_delivery",
    "event_id": EVENT,
    "event_type": "response.completed",
    "object_id": "resp_0123",
    "created_at": 1_780_000_000,
    "status": "pending",
    "attempts": 2,
    "last_attempt_at": 1_780_000_006,
    "last_status_code": 503,
    "last_error": None,
    "next_attempt_at": 1_780_000_024,
}
ENDPOINT: Schema = {
    "id": ID,
    "object": "webhook_endpoint",
    "name": "Production",
    "url": URL,
    "event_types": TYPES,
    "created_at": 1_780_000_000,
    "updated_at": 1_780_000_000,
    "signing_secret_hint": "whsec_...k3Zo",
    "disabled_at": None,
}
WITH_SECRET = {**ENDPOINT, "signing_secret": "whsec_c2lnbmluZyBzZWNyZXQgb2YgYW4gZW5kcG9pbnQ="}


@dataclass(frozen=True)
class Row:
    """What differs between these endpoints."""

    id: str
    call: str
    summary: str
    about: str
    answer: tuple[type[BaseModel], Schema]  # with an example
    body: tuple[type[BaseModel], Schema] | None = None
    has_pages: bool = False
    ours: bool = False

    def to_endpoint(self) -> Endpoint:
        model, sample = self.answer
        return Endpoint(
            self.id,
            self.call,
            TAG,
            self.summary,
            self.about,
            model,
            query=tuple(parameters.of_model(webhooks.WebhooksQuery)) if self.has_pages else (),
            body=None if self.body is None else Body(self.body[0], examples=example(self.body[1])),
            examples=example(sample),
            access="gateway",
            ours=self.ours,
        )


ROWS = (
    Row(
        "createWebhookEndpoint",
        "POST /webhook_endpoints",
        "Create a webhook endpoint",
        "Has events sent to an https address when responses and batches of the tenant end. Served "
        "where the gateway's operators enable it. The signing secret is in no later answer.",
        (webhooks.WebhookEndpointWithSecret, WITH_SECRET),
        (
            webhooks.CreateWebhookEndpoint,
            {"name": "Production", "url": URL, "event_types": TYPES},
        ),
    ),
    Row(
        "listWebhookEndpoints",
        "GET /webhook_endpoints",
        "List webhook endpoints",
        "Lists the tenant's own, newest first. An unknown parameter is refused.",
        (
            webhooks.WebhookEndpointList,
            list_of(ENDPOINT),
        ),
        has_pages=True,
    ),
    Row(
        "getWebhookEndpoint",
        "GET /webhook_endpoints/{id}",
        "Retrieve a webhook endpoint",
        "Returns an endpoint without its secret.",
        (webhooks.WebhookEndpointObject, ENDPOINT),
    ),
    Row(
        "updateWebhookEndpoint",
        "POST /webhook_endpoints/{id}",
        "Update a webhook endpoint",
        "Changes what the body names, and enables an endpoint that had answered 410.",
        (webhooks.WebhookEndpointObject, ENDPOINT),
        (webhooks.UpdateWebhookEndpoint, {"event_types": TYPES}),
    ),
    Row(
        "deleteWebhookEndpoint",
        "DELETE /webhook_endpoints/{id}",
        "Delete a webhook endpoint",
        "Ends its deliveries at once, also those that are still to be tried again.",
        (
            webhooks.DeletedWebhookEndpoint,
            {"id": ID, "object": "webhook_endpoint.deleted", "deleted": True},
        ),
    ),
    Row(
        "rotateWebhookSecret",
        "POST /webhook_endpoints/{id}/rotate_secret",
        "Rotate the signing secret",
        "Makes a new signing secret, which is in no later answer.",
        (webhooks.WebhookEndpointWithSecret, WITH_SECRET),
        (webhooks.RotateWebhookSecret, {"keep_old_secret_active_for_24_hours": True}),
    ),
    Row(
        "testWebhookEndpoint",
        "POST /webhook_endpoints/{id}/test",
        "Send a test event",
        "Sends an event at once, with the id `resp_test` or `batch_test`, and returns the status "
        "of the answer. Without an answer, it is a 400 with the code `webhook_not_delivered`.",
        (
            webhooks.WebhookTestResult,
            {
                "object": "webhook_endpoint.test",
                "webhook_endpoint_id": ID,
                "event_type": "response.completed",
                "status_code": 200,
                "success": True,
            },
        ),
        (webhooks.TestWebhookEndpoint, {"event_type": "response.completed"}),
    ),
    Row(
        "listWebhookDeliveries",
        "GET /webhook_endpoints/{id}/deliveries",
        "List deliveries",
        "Lists what became of the events of the last 30 days, the newest event first.",
        (
            webhooks.WebhookDeliveryList,
            list_of(DELIVERY),
        ),
        has_pages=True,
        ours=True,
    ),
    Row(
        "listWebhookEventTypes",
        "GET /webhook_event_types",
        "List event types",
        "Lists the types of events that the gateway sends.",
        (webhooks.WebhookEventTypeList, {"object": "list", "data": [*webhooks.EVENT_TYPES]}),
    ),
)
WEBHOOKS = tuple(row.to_endpoint() for row in ROWS)
