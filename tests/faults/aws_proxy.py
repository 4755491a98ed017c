"""A proxy in front of a gateway's AWS that records calls and fails those that a test chooses.

The queue gives each message out at once: tests of its delays are in tests/store/test_queue.py.
"""

import contextlib
import http.client
import http.server
import json
import socket
import struct
import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType
from urllib.parse import parse_qsl, urlsplit

ABORT = struct.pack("ii", 1, 0)  # SO_LINGER: closing sends RST
PATIENCE_SECONDS = 30.0
LENGTH = "content-length"
THROTTLED = {  # by the prefix of a target header
    "DynamoDB_20120810": "ProvisionedThroughputExceededException",
    "AmazonSQS": "RequestThrottled",
    "secretsmanager": "ThrottlingException",
}
# The query protocol of STS.
QUERY_ERROR = """<ErrorResponse><Error><Type>Sender</Type><Code>{}</Code><Message>m</Message>
</Error></ErrorResponse>"""

type Answer = tuple[int, bytes]  # status and body
type Fault = Callable[["AwsCall"], Answer | None]  # without an answer the connection is reset


@dataclass(frozen=True)
class AwsCall:
    """One call of an AWS service."""

    operation: str
    service: str  # the prefix of its target header; empty for the query protocol
    forward: Callable[[], Answer]
    wait_for_hangup: Callable[[], None]
    body: bytes = b""

    def error(self, status: int, code: str) -> Answer:
        if not self.service:
            return status, QUERY_ERROR.format(code).encode()
        return status, json.dumps({"__type": f"com.amazonaws#{code}", "message": "m"}).encode()


def throttle(call: AwsCall) -> Answer:
    return call.error(400, THROTTLED.get(call.service, "Throttling"))


def fail(call: AwsCall) -> Answer:
    return call.error(500, "InternalServerError")


def deny(call: AwsCall) -> Answer:
    return call.error(400, "AccessDeniedException" if call.service else "AccessDenied")


def refuse(_: AwsCall) -> None:
    """Reset the connection; the service does not see the call."""


def hang(call: AwsCall) -> None:
    """Answer nothing; the service does not see the call."""
    call.wait_for_hangup()


def lose(call: AwsCall) -> None:
    """Let the service do it, and reset the connection."""
    call.forward()


def hang_after(call: AwsCall) -> None:
    """Let the service do it, and answer nothing."""
    call.forward()
    call.wait_for_hangup()


FAULTS: Mapping[str, Fault] = {
    "throttled": throttle,
    "failing": fail,
    "denied": deny,
    "refused": refuse,
    "lost": lose,
    "hanging": hang,
    "hanging afterwards": hang_after,
}
HANGING = {"hanging", "hanging afterwards"}


class AwsProxy:
    """`faults` has the name of the fault of each operation that fails, such as PutItem.

    `responses` are for operations that moto does not know.
    """

    def __init__(self, endpoint: str, responses: Mapping[str, bytes]) -> None:
        self.endpoint = endpoint
        self.address = ""
        self.calls: list[str] = []
        self.bodies: deque[tuple[str, bytes]] = deque(maxlen=100)  # of the last calls
        self.faults: dict[str, str] = {}
        self.spared: dict[str, int] = {}  # by operation: how many of `calls` get through first
        self.responses = responses

    def before(self, endpoint: str) -> str:
        """Stand before an endpoint; return the address to use in its place."""
        self.endpoint = endpoint
        return self.address

    def cut(self, *operations: str) -> None:
        """Refuse these operations from now on."""
        self.faults |= dict.fromkeys(operations, "refused")

    def restore(self) -> None:
        self.faults.clear()
        self.spared.clear()

    def answer(self, call: AwsCall) -> Answer | None:
        self.calls.append(call.operation)
        self.bodies.append((call.operation, call.body))
        fault = self.faults.get(call.operation)
        is_spared = self.calls.count(call.operation) <= self.spared.get(call.operation, 0)
        if fault is not None and not is_spared:
            return FAULTS[fault](call)
        known = self.responses.get(call.operation)
        return call.forward() if known is None else (200, known)


def _without_delay(body: bytes) -> bytes:
    """Only the second and later polls of a response keep their delays: they may be many."""
    values = json.loads(body)
    message = json.loads(values["MessageBody"])
    is_later_poll = message["kind"] == "follow" and message["attempt"] > 1
    return body if is_later_poll else json.dumps({**values, "DelaySeconds": 0}).encode()


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    timeout = PATIENCE_SECONDS
    proxy: AwsProxy

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers[LENGTH]))
        service, _, operation = self.headers.get("x-amz-target", "").rpartition(".")
        if not service:
            operation = dict(parse_qsl(body.decode())).get("Action", "")
        if operation == "SendMessage":
            body = _without_delay(body)
        forward = partial(self._forward, body)
        call = AwsCall(operation, service, forward, self._wait_for_hangup, body)
        answer = self.proxy.answer(call)
        if answer is None:
            self.close_connection = True
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, ABORT)
            return
        status, content = answer
        with contextlib.suppress(OSError):  # the client did not wait for it
            self.send_response(status)
            self.send_header(LENGTH, str(len(content)))
            self.end_headers()
            self.wfile.write(content)

    def _forward(self, body: bytes) -> Answer:
        netloc = urlsplit(self.proxy.endpoint).netloc
        with contextlib.closing(
            http.client.HTTPConnection(netloc, timeout=PATIENCE_SECONDS)
        ) as connection:
            headers = {
                name: value for name, value in self.headers.items() if name.lower() != LENGTH
            }
            connection.request("POST", self.path, body, headers)
            response = connection.getresponse()
            return response.status, response.read()

    def _wait_for_hangup(self) -> None:
        with contextlib.suppress(OSError):
            self.rfile.read(1)

    def log_message(self, *_: object) -> None:
        """Do not log requests."""


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = False  # so that closing the server waits for the connections' end

    def handle_error(self, *_: object) -> None:
        """Do not print what a reset connection raises."""


@contextmanager
def run_aws_proxy(
    endpoint: str = "", responses: Mapping[str, bytes] = MappingProxyType({})
) -> Iterator[AwsProxy]:
    """The clients of the proxy must have ended when the block ends."""
    proxy = AwsProxy(endpoint, responses)
    handler = type("Handler", (_Handler,), {"proxy": proxy})
    with _Server(("127.0.0.1", 0), handler) as server:
        proxy.address = f"http://127.0.0.1:{server.server_port}"
        serving = threading.Thread(target=server.serve_forever, args=(0.05,))
        serving.start()
        try:
            yield proxy
        finally:
            server.shutdown()
            serving.join()
