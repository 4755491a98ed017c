"""Counts the calls that a function makes of AWS, on their way there."""

import http.client
import http.server
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import MappingProxyType
from urllib.parse import parse_qsl, urlsplit


class Counter(http.server.BaseHTTPRequestHandler):
    """Passes calls on to the AWS behind it and writes down which they were."""

    calls: list[str]
    behind: str
    instead: Mapping[str, bytes]

    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        action = dict(parse_qsl(body.decode())).get("Action", "") if b"Action=" in body else ""
        name = self.headers.get("x-amz-target", "").rpartition(".")[2] or action
        self.calls.append(name)
        status, told = (200, self.instead[name]) if name in self.instead else self._asked(body)
        self.send_response(status)
        self.send_header("content-length", str(len(told)))
        self.end_headers()
        self.wfile.write(told)

    def _asked(self, body):
        aws = http.client.HTTPConnection(urlsplit(self.behind).netloc, timeout=30)
        aws.request("POST", self.path, body, dict(self.headers))
        answer = aws.getresponse()
        told = answer.read()
        aws.close()
        return answer.status, told

    def log_message(self, *_):
        """Say nothing."""


@contextmanager
def counting(
    endpoint: str, instead: Mapping[str, bytes] = MappingProxyType({})
) -> Iterator[tuple[str, list[str]]]:
    """An endpoint before that of a gateway's AWS, and the calls that it gets.

    `instead` has the answers to calls that moto does not know.
    """
    seen = {"calls": [], "behind": endpoint, "instead": instead}
    handler = type("Handler", (Counter,), seen)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}", seen["calls"]
        server.shutdown()
