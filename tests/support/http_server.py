"""A small HTTP server in this process, whose answers one function decides."""

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

JSON = {"content-type": "application/json"}


@dataclass(frozen=True)
class HttpRequest:
    path: str
    headers: Mapping[str, str]  # by names in lower case
    body: bytes


@dataclass(frozen=True)
class HttpAnswer:
    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of_json(cls, status: int, **content: Any) -> Self:
        return cls(status, json.dumps(content).encode(), JSON)


type Respond = Callable[[HttpRequest], HttpAnswer]


class _Server(ThreadingHTTPServer):
    respond: Respond
    request_queue_size = 256
    block_on_close = False  # a client may leave its connection open a little longer
    daemon_threads = True


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server
    timeout = 30

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        headers = {name.lower(): value for name, value in self.headers.items()}
        answer = self.server.respond(HttpRequest(self.path, headers, body))
        self.send_response(answer.status)
        for name, value in {**answer.headers, "content-length": str(len(answer.body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(answer.body)

    do_GET = do_POST  # noqa: N815  the name that the standard library looks for

    def log_message(self, *_: object) -> None:
        """Do not log requests: tests look at what the function got."""


@contextmanager
def serve_http(respond: Respond) -> Iterator[str]:
    """Serve until the end of the block; yield the address."""
    with _Server(("127.0.0.1", 0), _Handler) as server:
        server.respond = respond
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()
