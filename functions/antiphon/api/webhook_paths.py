"""The paths of webhook endpoints, and what they answer where the gateway has none.

In a file of its own: most gateways have no webhooks, and load nothing else of them.
"""

from collections.abc import Mapping

from aws_lambda_powertools.event_handler.api_gateway import Router

from antiphon.errors import EndpointNotServed
from antiphon.http import Reply, Request
from antiphon.http_events import Endpoint, RequestReader, build_router
from antiphon.limits.admission import Gate

# What is called: method, and path. OpenAI's, except for the deliveries.
CALLS: Mapping[str, tuple[str, str]] = {
    "create": ("POST", "/webhook_endpoints"),
    "list_own": ("GET", "/webhook_endpoints"),
    "retrieve": ("GET", "/webhook_endpoints/<id>"),
    "update": ("POST", "/webhook_endpoints/<id>"),
    "delete": ("DELETE", "/webhook_endpoints/<id>"),
    "rotate_secret": ("POST", "/webhook_endpoints/<id>/rotate_secret"),
    "test": ("POST", "/webhook_endpoints/<id>/test"),
    "list_deliveries": ("GET", "/webhook_endpoints/<id>/deliveries"),
    "list_event_types": ("GET", "/webhook_event_types"),
}
NOT_SERVED = (
    "This gateway serves no webhooks. Its operators can: with the section `[webhooks]` in "
    "gateway.toml."
)


def webhooks_router(endpoints: Mapping[str, Endpoint], reader: RequestReader) -> Router:
    """Build the router; `endpoints` has one for each call."""
    return build_router(
        reader, *((method, path, endpoints[call]) for call, (method, path) in CALLS.items())
    )


def no_webhooks(gate: Gate) -> Mapping[str, Endpoint]:
    """Return what says at each path, to callers with a key, that it is not served."""

    def refuse(request: Request, **_: str) -> Reply:
        gate.admit(request)
        raise EndpointNotServed(NOT_SERVED)

    return dict.fromkeys(CALLS, refuse)
