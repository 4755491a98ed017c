"""The API's handler in this process, over AWS in this process and a provider that answers all."""

import json
import os
import threading
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from antiphon import wiring
from antiphon.store import keys
from infra.local.aws.resources import TABLE
from tests.support.aws import TEST_SECRETS, fake_aws, serve_aws
from tests.support.events import make_events, make_response, new_id

CONFIG = """
[targets.openai]
provider = "openai"
base_url = "http://127.0.0.1:{port}/v1"
models = ["*"]
"""
KEY = "sk-acme-0123456789"
SECONDS = 900


@dataclass(frozen=True)
class Context:
    """What the handler reads of Lambda's context."""

    aws_request_id: str

    def get_remaining_time_in_millis(self) -> int:
        return SECONDS * 1000


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes


class WillingProvider(BaseHTTPRequestHandler):
    """Answers every request with a success; records bodies."""

    received: list[bytes]

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        self.received.append(body)
        document = json.loads(body) if body else {}
        if self.path.startswith("/v1/responses") and document.get("stream") is True:
            self._send("text/event-stream", b"".join(make_events(new_id())))
        else:
            kind = "conv" if self.path.startswith("/v1/conversations") else "resp"
            found = make_response(new_id(kind), data=[], has_more=False)
            self._send("application/json", json.dumps(found).encode())

    do_GET = do_POST = do_DELETE = _answer  # noqa: N815  the names of http.server

    def _send(self, kind: str, content: bytes) -> None:
        self.send_response(200)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(content)))
        self.send_header("connection", "close")
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Do not log requests."""


class Handler:
    """The handler, and what its provider received of the last event."""

    def __init__(self, api: Any, received: list[bytes]) -> None:
        self._api = api
        self.received = received

    def __call__(self, event: Mapping[str, Any]) -> Answer:
        self.received.clear()
        response = self._api(event, Context(str(uuid.uuid4())))
        body = response["body"]
        try:
            content = b"".join(body)
        finally:
            body.close()
        lists = response.get("multiValueHeaders") or {}
        headers = {**response.get("headers", {}), **{n: ",".join(v) for n, v in lists.items()}}
        return Answer(response["statusCode"], headers, content)


@contextmanager
def run_handler(folder: Path) -> Iterator[Handler]:
    received: list[bytes] = []
    provider = type("Provider", (WillingProvider,), {"received": received})
    with (
        fake_aws() as cloud,
        serve_aws() as endpoint,
        ThreadingHTTPServer(("127.0.0.1", 0), provider) as server,
        _aws_environment(),
    ):
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        cloud.secrets.create_secret(Name="test/openai", SecretString="credential")
        cloud.table.put(keys.key_row(KEY, "acme"), "attribute_not_exists(pk)")
        config = folder / "gateway.toml"
        config.write_text(CONFIG.format(port=server.server_port))
        env = {
            "AWS_ENDPOINT_URL": endpoint,
            "TABLE_NAME": TABLE,
            "TARGET_SECRETS": json.dumps(TEST_SECRETS),
            "QUEUE_URL": cloud.queue_url,
            "CONFIG_FILE": str(config),
        }
        yield Handler(wiring.api(env), received)
        server.shutdown()


@contextmanager
def _aws_environment() -> Iterator[None]:
    before = dict(os.environ)
    for name in ("AWS_DEFAULT_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        os.environ[name] = "us-east-1"
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
