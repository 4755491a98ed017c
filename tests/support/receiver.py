"""A tenant's own server in this process, to which the gateway sends webhooks."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from openai import OpenAI
from openai.types.webhooks import UnwrapWebhookEvent

from antiphon.store.webhook_endpoints import WebhookEndpoint

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
        with OpenAI(api_key="none") as client:
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

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            receiver.received.append((headers, body))
            status = receiver.statuses.pop(0) if receiver.statuses else 200
            self.send_response(status)
            self.send_header("location", receiver.url)
            self.send_header("content-encoding", "unheard-of")  # nobody reads the body
            self.send_header("content-length", "2")
            self.end_headers()
            self.wfile.write(b"ok")

        def log_message(self, *_: object) -> None:
            """Do not log requests."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        receiver.url = f"http://127.0.0.1:{server.server_port}/hooks?team=1"
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        try:
            yield receiver
        finally:
            server.shutdown()
