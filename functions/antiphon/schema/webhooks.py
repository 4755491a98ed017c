"""Webhook endpoints as OpenAI's API has them: bodies of requests, and objects of answers.

The string below a field is for the reference; it is not loaded at run time.
https://github.com/openai/openai-python/blob/main/src/openai/resources/webhooks/api.md
"""

import re
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from antiphon.errors import InvalidRequest
from antiphon.schema.create import RequestBody
from antiphon.schema.fields import Flag
from antiphon.schema.list_queries import PageQuery
from antiphon.schema.public_addresses import is_address, is_loopback, is_public
from antiphon.schema.validation_errors import invalid_value

MAX_NAME, MAX_URL = 256, 2_048
LABEL = r"[A-Za-z0-9_-]{1,63}"  # of a name: a longer or an empty one cannot be looked up
URL = re.compile(
    rf"https?://(?:\[[0-9A-Fa-f:.]+\]|(?=[^/:]{{1,254}}(?:[/:]|\Z)){LABEL}(?:\.{LABEL})*\.?)"
    r"(?::[0-9]{1,5})?(?:/[!\"$-~]*)?"
)
DOT_SEGMENT = re.compile(r"/\.\.?(?:/|\Z)")  # of a path: a request with one is not sent

type EventType = Literal[
    "response.completed",
    "response.failed",
    "response.incomplete",
    "response.cancelled",
    "response.unknown",
    "batch.completed",
    "batch.failed",
    "batch.expired",
    "batch.cancelled",
]

EVENT_TYPES: tuple[str, ...] = EventType.__value__.__args__

Name = Annotated[str, StringConstraints(min_length=1, max_length=MAX_NAME)]
Url = Annotated[str, StringConstraints(max_length=MAX_URL)]
EventTypes = Annotated[list[EventType], Field(min_length=1)]


class WebhookBody(RequestBody):
    """A body that no provider reads: unknown members are refused."""

    model_config = ConfigDict(extra="forbid")


class CreateWebhookEndpoint(WebhookBody):
    """POST /webhook_endpoints."""

    name: Name
    """A name for people."""
    url: Url
    """Where events are sent: an https address on the internet."""
    event_types: EventTypes
    """The types of events that are sent to it."""


class UpdateWebhookEndpoint(WebhookBody):
    """POST /webhook_endpoints/{id}: what is absent stays as it is."""

    name: Name | None = None
    """A new name."""
    url: Url | None = None
    """A new address."""
    event_types: EventTypes | None = None
    """All types from now on."""


class RotateWebhookSecret(WebhookBody):
    """POST /webhook_endpoints/{id}/rotate_secret."""

    keep_old_secret_active_for_24_hours: Flag = None
    """Whether events are signed with the previous secret, too, for 24 hours."""


class TestWebhookEndpoint(WebhookBody):
    """POST /webhook_endpoints/{id}/test."""

    __test__ = False  # for pytest

    event_type: EventType
    """The type of the event that is sent."""


class WebhookObject(BaseModel):
    model_config = ConfigDict(frozen=True, defer_build=True, from_attributes=True)


class WebhookEndpointObject(WebhookObject):
    """A webhook endpoint, without its secret."""

    id: str
    """The id from create."""
    object: Literal["webhook_endpoint"] = "webhook_endpoint"
    """The type of object."""
    name: str
    """Its name."""
    url: str
    """Where events are sent."""
    event_types: list[str]
    """The types of events that are sent to it."""
    created_at: int
    """When it was created, in epoch seconds."""
    updated_at: int
    """When it or its secret was changed."""
    signing_secret_hint: str
    """The end of its signing secret."""
    disabled_at: int | None = None
    """Since when nothing is sent, because it answered 410; an update enables it again."""


class WebhookEndpointWithSecret(WebhookEndpointObject):
    """A webhook endpoint with its secret, which only create and rotate_secret return."""

    signing_secret: str
    """The secret that verifies what it is sent."""


class WebhookEndpointList(WebhookObject):
    """A page of webhook endpoints, the newest first."""

    object: Literal["list"] = "list"
    """The type of object."""
    data: list[WebhookEndpointObject]
    """The endpoints."""
    first_id: str | None
    """The id of the first endpoint in `data`."""
    last_id: str | None
    """The id of the last endpoint in `data`."""
    has_more: bool
    """Whether there is a next page."""


class DeletedWebhookEndpoint(WebhookObject):
    """What a deletion returns."""

    id: str
    """The id of the endpoint."""
    object: Literal["webhook_endpoint.deleted"] = "webhook_endpoint.deleted"
    """The type of object."""
    deleted: Literal[True] = True
    """It is deleted."""


class WebhookTestResult(WebhookObject):
    """What an endpoint answered to a test."""

    object: Literal["webhook_endpoint.test"] = "webhook_endpoint.test"
    """The type of object."""
    webhook_endpoint_id: str
    """The id of the endpoint."""
    event_type: str
    """The type of the event that was sent."""
    status_code: int
    """The status that the endpoint answered."""
    success: Literal[True] = True
    """The endpoint answered, with whatever status."""


class WebhookEventTypeList(WebhookObject):
    """The types of events that the gateway sends."""

    object: Literal["list"] = "list"
    """The type of object."""
    data: list[str]
    """The types. `response.unknown` is Antiphon's own: how the response ended cannot be found."""


class WebhookDeliveryObject(WebhookObject):
    """What became of an event that was to be sent to an endpoint; times are epoch seconds."""

    id: str
    """The id of the delivery."""
    object: Literal["webhook_delivery"] = "webhook_delivery"
    """The type of object."""
    event_id: str
    """The id of the event, which is also the header `webhook-id`."""
    event_type: str
    """The type of the event."""
    object_id: str
    """The id of the response or the batch."""
    created_at: int
    """The time of the event."""
    status: Literal["pending", "delivered", "failed"]
    """`delivered` after an answer with a 2xx; `pending` while it is tried again."""
    attempts: int
    """How often it was sent."""
    last_attempt_at: int | None
    """When it was sent last."""
    last_status_code: int | None
    """The status of the last answer; null where there was none."""
    last_error: str | None
    """Why there was none: `timeout`, `not_connected`, `address_not_public`, `no_answer`,
    `endpoint_disabled`, or `not_tried`, because the endpoint had not answered another event within
    the last minute."""
    next_attempt_at: int | None
    """When it is sent again, if it is pending."""


class WebhookDeliveryList(WebhookObject):
    """A page of the deliveries to an endpoint in the last 30 days, the newest event first."""

    object: Literal["list"] = "list"
    """The type of object."""
    data: list[WebhookDeliveryObject]
    """The deliveries."""
    first_id: str | None
    """The id of the first delivery in `data`."""
    last_id: str | None
    """The value of `after` for the next page."""
    has_more: bool
    """Whether there is a next page."""


class WebhooksQuery(PageQuery):
    """GET /webhook_endpoints, GET /webhook_endpoints/{id}/deliveries."""


def check_url(url: str, *, allows_loopback: bool) -> None:
    """Raise InvalidRequest for a URL to which nothing may be sent.

    `allows_loopback`: plain http to this machine is allowed, as on a developer's.
    What a name is resolved to is checked when an event is sent.
    """
    if not URL.fullmatch(url) or not _has_valid_port(url):
        raise _url_error("expected an address such as https://app.example.com/webhooks")
    parts = urlsplit(url)
    if DOT_SEGMENT.search(parts.path):
        raise _url_error("its path must have no part '.' or '..'")
    host = parts.hostname or ""
    if allows_loopback and is_loopback(host):
        return
    if parts.scheme != "https":
        raise _url_error("it must begin with https://")
    if is_loopback(host) or (is_address(host) and not is_public(host)):
        raise _url_error("it must be an address on the internet")


def _has_valid_port(url: str) -> bool:
    try:
        return urlsplit(url).port != 0
    except ValueError:
        return False


def _url_error(reason: str) -> InvalidRequest:
    return invalid_value("url", f"Invalid 'url': {reason}.")
