"""A fake provider on a socket: records requests, and responds byte by byte as scripted."""

import contextlib
import json
import queue
import socket
import struct
import threading
from collections import defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

from tests.support.canaries import ACCOUNT_HEADERS, PROVIDER_REQUEST_ID

MOST_WAITING = 16  # unexpected requests of one test
TIMEOUT_SECONDS = 30  # after which a test has failed
MODELS = b'{"object":"list","data":[{"id":"gpt-5","object":"model"},{"id":"dall-e"}]}'
RESET = object()  # the connection is reset here
CLOSE = object()  # the connection is closed here
SILENCE = object()  # nothing follows until the gateway closes the connection


@dataclass(frozen=True)
class ReceivedRequest:
    """One request as it came off the wire."""

    head: bytes
    body: bytes

    @property
    def line(self) -> str:
        return self.head.split(b"\r\n", 1)[0].decode()

    @cached_property
    def headers(self) -> dict[str, str]:
        rows = (row.partition(b":") for row in self.head.split(b"\r\n")[1:] if row)
        return {name.decode().lower(): value.strip().decode("latin-1") for name, _, value in rows}


type Script = tuple[object, ...]


class Gate:
    """The script waits here until the test opens it."""

    def __init__(self) -> None:
        self._event = threading.Event()

    def open(self) -> None:
        self._event.set()

    def wait(self) -> bool:
        return self._event.wait(TIMEOUT_SECONDS)


class FakeProvider:
    """Each request takes the next script: bytes to send, gates to wait at, or an end."""

    def __init__(self) -> None:
        self.received: list[ReceivedRequest] = []
        self._settle_requests: list[ReceivedRequest] = []
        self.hung_up = threading.Event()
        self._gates: list[Gate] = []
        self._choose: Callable[[ReceivedRequest], Script] | None = None
        self._scripts: queue.Queue[Script] = queue.Queue()
        self._settle_scripts: defaultdict[str, deque[Script]] = defaultdict(deque)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def respond_with(self, *script: object) -> None:
        self._scripts.put(script)
        self._gates += [step for step in script if isinstance(step, Gate)]

    def respond_with_json(self, document: object, status: int = 200, **options: str) -> None:
        """A script of one step: a whole answer; `options` are those of `encode_response`."""
        self.respond_with(encode_response(json.dumps(document).encode(), status, **options))

    def respond_by(self, choose: Callable[[ReceivedRequest], Script]) -> None:
        """Choose each script by its request, in any order and at once; also the settle function's."""
        self._choose = choose

    def respond_to_settle(self, id: str, *script: object) -> None:
        """A script for the settle function's next request for this id; without one it gets 404."""
        self._settle_scripts[id].append(script)

    def settle_requests(self, id: str) -> list[ReceivedRequest]:
        """The settle function's requests for an id; those of other tests may still arrive."""
        return [got for got in self._settle_requests if f"/{id}" in got.line]

    def reset(self) -> None:
        """Removes all requests and scripts, and ends whatever still waits."""
        while self._gates:
            self._gates.pop().open()
        self.received.clear()
        self._settle_requests.clear()
        self.hung_up.clear()
        self._settle_scripts.clear()
        self._choose = None
        waiting, self._scripts = self._scripts, queue.Queue()
        for _ in range(MOST_WAITING):  # for threads that wait for a script of the test before
            waiting.put((CLOSE,))

    def close(self) -> None:
        self._listener.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):  # closed at the end
            while True:
                connection, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with connection, connection.makefile("rb") as reader:
            try:
                while self._respond(connection, reader):
                    pass
            except OSError:  # the gateway hung up first
                self.hung_up.set()

    def _respond(self, connection: socket.socket, reader) -> bool:
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            row = reader.readline()
            if not row:
                self.hung_up.set()
                return False
            head += row
        request = ReceivedRequest(head, b"")
        length = int(request.headers.get("content-length", 0))
        request = ReceivedRequest(head, reader.read(length))
        try:
            script = self._next_script(request)
        except queue.Empty:  # no test expects this request: close the connection
            return False
        return all(_play(connection, step) for step in script)

    def _next_script(self, request: ReceivedRequest) -> Script:
        if request.line == "GET /v1/models HTTP/1.1":  # the gateway sends it on its own schedule
            return (encode_response(MODELS),)
        if self._choose is not None:
            return self._choose(request)
        if not request.headers.get("x-client-request-id", "").startswith("antiphon-settle-"):
            self.received.append(request)
            return self._scripts.get(timeout=TIMEOUT_SECONDS)
        self._settle_requests.append(request)
        path = request.line.split()[1].partition("?")[0]
        scripts = self._settle_scripts[path.rpartition("/")[2]]
        return scripts.popleft() if scripts else (encode_response(b'{"error":{}}', status=404),)


def _play(connection: socket.socket, step: object) -> bool:
    if isinstance(step, bytes):
        connection.sendall(step)
    elif isinstance(step, Gate):
        return step.wait()
    elif step is RESET:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.close()
    elif step is SILENCE:
        connection.recv(1)
    return step not in {RESET, CLOSE, SILENCE}


def encode_response(
    body: bytes, status: int = 200, kind: str = "application/json", **headers: str
) -> bytes:
    """A response with a Content-Length."""
    return encode_head(status, kind, {"content-length": str(len(body)), **headers}) + body


def encode_stream_head(status: int = 200, *, chunked: bool = True, **headers: str) -> bytes:
    framing = {"transfer-encoding": "chunked"} if chunked else {"connection": "close"}
    return encode_head(status, "text/event-stream; charset=utf-8", {**framing, **headers})


def encode_chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


LAST_CHUNK = encode_chunk(b"")


def encode_stream(*chunks: bytes, **headers: str) -> bytes:
    """A whole event stream in one step of a script."""
    return encode_stream_head(**headers) + b"".join(map(encode_chunk, chunks)) + LAST_CHUNK


def encode_head(status: int, kind: str, headers: dict[str, str]) -> bytes:
    rows = {"content-type": kind, "x-request-id": PROVIDER_REQUEST_ID, **ACCOUNT_HEADERS}
    rows |= {name.replace("_", "-"): value for name, value in headers.items()}
    lines = "".join(f"{name}: {value}\r\n" for name, value in rows.items())
    return f"HTTP/1.1 {status} X\r\n{lines}\r\n".encode()


def make_error_script(status, code=None, message="m", param=None, **headers):
    body = {"error": {"message": message, "type": "t", "param": param, "code": code}}
    return (encode_response(json.dumps(body).encode(), status, **headers),)


# Scripts of a target that fails, by whether it may have processed the request.
NOT_PROCESSED = {
    "429": make_error_script(429, "rate_limit_exceeded"),
    "503": make_error_script(503, "server_is_overloaded"),
    "401": make_error_script(401, "invalid_api_key"),
    "403": make_error_script(403, "unsupported_country_region_territory"),
    "404 deployment": make_error_script(404, "DeploymentNotFound"),
    "404 model": make_error_script(404, "model_not_found", param="model"),
    "404 page": (encode_response(b"<html>", 404, kind="text/html"),),
    "400 encrypted": make_error_script(400, "invalid_encrypted_content"),
    "400 model": make_error_script(400, "model_not_found", param="model"),
}
MAYBE_PROCESSED = {
    "500": make_error_script(500),
    "502": make_error_script(502),
    "504": make_error_script(504),
    "reset": (RESET,),
    "closed": (CLOSE,),
    "html": (encode_response(b"<html>", kind="text/html"),),
    "half": (encode_stream_head(), RESET),
}
INVALID = {
    "400": make_error_script(400, "invalid_value", param="input"),
    "404 file": make_error_script(404, param="input[0].file_id"),
    "422": make_error_script(422),
    "529": make_error_script(529),  # overloaded: the caller should try again
}
