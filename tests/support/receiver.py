"""A tenant's own server in this process, to which the gateway sends webhooks."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from openai import DefaultHttpxClient, OpenAI
from openai.types.webhooks import UnwrapWebhookEvent

from antiphon.store.webhook_endpoints import WebhookEndpoint
from tests.support.gateway import NO_TLS
from tests.support.http_server import HttpAnswer, HttpRequest, serve_http

type Received = tuple[dict[str, str], bytes]  # headers by names in lower case, and the body


@dataclass
class Receiver:
    """Answers with the next of `statuses`, and with 200 when there are none left."""

    url: str = ""
    statuses: list[int] = field(default_factory=list)
    received: list[Received] = field(default_factory=list)

    def of(self, object_id: str) -> list[Received]:
        """What was received about a response or a batch."""
        return [each for each in self.received if f'"{object_id}"'.encode() in each[1]]

    def unwrap(self, received: Received, secret: str) -> UnwrapWebhookEvent:
        """Verify as OpenAI's client does; raise InvalidWebhookSignatureError."""
        headers, body = received
        with OpenAI(api_key="none", http_client=DefaultHttpxClient(verify=NO_TLS)) as client:
            return client.webhooks.unwrap(body, headers, secret=secret)


def make_endpoint(**more: Any) -> WebhookEndpoint:
    """An endpoint that wants completed responses, unless `more` says otherwise."""
    fields: dict[str, Any] = {
        "id": "wh_1",
        "name": "n",
        "url": "https://app.example.com/",
        "event_types": ("response.completed",),
        "created_at": 1,
        "updated_at": 1,
        "signing_secret_hint": "whsec_...",
    }
    return WebhookEndpoint(**{**fields, **more})


@contextmanager
def run_receiver() -> Iterator[Receiver]:
    receiver = Receiver()

    def respond(request: HttpRequest) -> HttpAnswer:
        receiver.received.append(({**request.headers}, request.body))
        status = receiver.statuses.pop(0) if receiver.statuses else 200
        # Nobody reads the body.
        headers = {"location": receiver.url, "content-encoding": "unheard-of"}
        return HttpAnswer(status, b"ok", headers)

    with serve_http(respond) as address:
        receiver.url = f"{address}/hooks?team=1"
        yield receiver
