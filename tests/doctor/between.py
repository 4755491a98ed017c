"""What may stand between a client and the gateway, and do to its answers what it must not do."""

import json
import re
import threading
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx

HOPS = ("connection", "transfer-encoding", "content-length", "host")


@dataclass(frozen=True)
class Passed:
    """An answer on its way; its chunks are sent as they come."""

    path: str
    status: int
    headers: dict[str, str]
    chunks: object  # an iterable of bytes

    @property
    def streams(self):
        return self.headers.get("content-type", "").startswith("text/event-stream")


type Change = Callable[[Passed], Passed]


@contextmanager
def between(upstream: str, change: Change):
    """Gives the base URL of a proxy to a gateway, which changes each answer."""
    with httpx.Client(base_url=upstream.removesuffix("/v1"), timeout=30) as client:
        handler = type("Handler", (_Handler,), {"client": client, "change": staticmethod(change)})
        server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
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
        except OSError:  # the doctor has left
            self.close_connection = True

    def do_GET(self):
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        headers = [(n, v) for n, v in self.headers.items() if n.lower() not in HOPS]
        asked = self.client.build_request(self.command, self.path, headers=headers, content=body)
        answer = self.client.send(asked, stream=True)
        try:
            kept = {n: v for n, v in answer.headers.items() if n not in HOPS}
            self._send(self.change(Passed(self.path, answer.status_code, kept, answer.iter_raw())))
        finally:
            answer.close()

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
        """The test's output is not for it."""


def whole(passed):
    return b"".join(passed.chunks)


def events(passed):
    return re.findall(rb".*?\n\n", whole(passed), re.DOTALL)


def of_streams(change):
    return lambda passed: change(passed) if passed.streams else passed


def but_health(change):
    return lambda passed: passed if passed.path.endswith("/health") else change(passed)


def error(status, code):
    body = {"error": {"message": "No.", "type": "server_error", "param": None, "code": code}}
    return lambda p: replace(p, status=status, chunks=[json.dumps(body).encode()])


def _prelude(passed):
    told = json.dumps({"statusCode": passed.status, "headers": passed.headers}).encode()
    kind = {"content-type": "application/octet-stream"}
    return replace(passed, status=200, headers=kind, chunks=[told, bytes(8), whole(passed)])


def _without(*names):
    def change(passed):
        return replace(passed, headers={n: v for n, v in passed.headers.items() if n not in names})

    return change


def _with(**headers):
    return lambda passed: replace(passed, headers={**passed.headers, **headers})


def _in_html(passed):
    return replace(passed, status=200, headers={"content-type": "text/html"}, chunks=[b"<p>"])


def _looking_away(passed):
    return replace(passed, status=200) if passed.status in {401, 404} else passed


HONEST = replace
HOLDS_STREAMS_BACK = of_streams(lambda p: replace(p, chunks=[whole(p)]))
DROPS_THE_LAST_EVENT = of_streams(lambda p: replace(p, chunks=events(p)[:-1]))
SHOWS_THE_PRELUDE = _prelude
FAILS = but_health(error(500, "gateway_error"))
HAS_NO_CREDENTIAL = but_health(error(502, "upstream_auth"))
TELLS_OF_THE_ACCOUNT = _with(**{"openai-organization": "acme-inc"})
TAKES_HEADERS_AWAY = _without("x-antiphon-request-id", "x-antiphon-target", "x-request-id")
RENAMES_HEADERS = _with(**{"x-amzn-remapped-x-request-id": "1", "x-amzn-remapped-date": "now"})
ANSWERS_IN_HTML = _in_html
LOOKS_AWAY = _looking_away
