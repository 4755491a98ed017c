"""A proxy between a client and the gateway that changes responses as it must not."""

import json
import re
import threading
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx

from tests.support.gateway import NO_TLS

HOP_HEADERS = ("connection", "transfer-encoding", "content-length", "host")
ADDED_HEADERS = {
    "openai-organization": "acme-inc",
    "x-amzn-remapped-x-request-id": "1",
    "x-amzn-remapped-date": "now",
}


@dataclass(frozen=True)
class ProxiedResponse:
    """A response on its way; its chunks are sent as they arrive."""

    path: str
    status: int
    headers: dict[str, str]
    chunks: object  # an iterable of bytes

    @property
    def streams(self):
        return self.headers.get("content-type", "").startswith("text/event-stream")


type Change = Callable[[ProxiedResponse], ProxiedResponse]


@contextmanager
def run_proxy(upstream: str, change: Change):
    """Run a proxy that changes each response; yield its base URL."""
    base = upstream.removesuffix("/v1")
    with httpx.Client(base_url=base, timeout=30, verify=NO_TLS) as client:
        handler = type("Handler", (_Handler,), {"client": client, "change": staticmethod(change)})
        server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}/v1"
        finally:
            server.shutdown()
            thread.join()
            server.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def handle_one_request(self):
        try:
            super().handle_one_request()
        except OSError:  # the doctor closed the connection
            self.close_connection = True

    def do_GET(self):
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        headers = [(n, v) for n, v in self.headers.items() if n.lower() not in HOP_HEADERS]
        request = self.client.build_request(self.command, self.path, headers=headers, content=body)
        response = self.client.send(request, stream=True)
        try:
            forwarded = {n: v for n, v in response.headers.items() if n not in HOP_HEADERS}
            self._send(
                self.change(
                    ProxiedResponse(self.path, response.status_code, forwarded, response.iter_raw())
                )
            )
        finally:
            response.close()

    def do_POST(self):
        self.do_GET()

    def do_DELETE(self):
        self.do_GET()

    def _send(self, passed):
        self.send_response_only(passed.status)
        for name, value in {**passed.headers, "transfer-encoding": "chunked"}.items():
            self.send_header(name, value)
        self.end_headers()
        for chunk in passed.chunks:
            self.wfile.write(b"%x\r\n%b\r\n" % (len(chunk), chunk))
        self.wfile.write(b"0\r\n\r\n")

    def log_message(self, *_):
        """Log nothing."""


def read_all(passed):
    return b"".join(passed.chunks)


def split_events(passed):
    return re.findall(rb".*?\n\n", read_all(passed), re.DOTALL)


def change_streams(change):
    return lambda passed: change(passed) if passed.streams else passed


def except_health(change):
    return lambda passed: passed if passed.path.endswith("/health") else change(passed)


def error(status, code):
    body = {"error": {"message": "No.", "type": "server_error", "param": None, "code": code}}
    return lambda p: replace(p, status=status, chunks=[json.dumps(body).encode()])


def _expose_metadata(passed):
    metadata = json.dumps({"statusCode": passed.status, "headers": passed.headers}).encode()
    kind = {"content-type": "application/octet-stream"}
    return replace(passed, status=200, headers=kind, chunks=[metadata, bytes(8), read_all(passed)])


def _remove_headers(passed):
    removed = ("x-antiphon-request-id", "x-antiphon-target", "x-request-id")
    return replace(passed, headers={n: v for n, v in passed.headers.items() if n not in removed})


def _change_headers(passed):
    removed = {n: v for n, v in passed.headers.items() if n != "x-antiphon-request-id"}
    return replace(passed, headers={**removed, **ADDED_HEADERS})


def _to_html(passed):
    return replace(passed, status=200, headers={"content-type": "text/html"}, chunks=[b"<p>"])


def _accept_everything(passed):
    return replace(passed, status=200) if passed.status in {400, 401, 404, 413, 426} else passed


TRANSPARENT = replace
BUFFERS_STREAMS = change_streams(lambda p: replace(p, chunks=[read_all(p)]))
DROPS_THE_LAST_EVENT = change_streams(lambda p: replace(p, chunks=split_events(p)[:-1]))
EXPOSES_METADATA = _expose_metadata
FAILS = except_health(error(500, "gateway_error"))
HAS_NO_CREDENTIAL = except_health(error(502, "upstream_auth"))
CHANGES_HEADERS = _change_headers
REMOVES_HEADERS = _remove_headers
RESPONDS_WITH_HTML = _to_html
ACCEPTS_EVERYTHING = _accept_everything
